import Glibc
import Platform

@testable import HTTP

/// A client that sends exactly the bytes it is told to.
final class RawClient {
    private let socket: FileDescriptor
    private var received: [UInt8] = []

    /// What came back: one response, its head in lines.
    struct Answer {
        let status: Int
        let headers: [String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? {
            headers.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    init(port: Int, host: String = "127.0.0.1") throws {
        guard let address = SocketAddress(host: host, port: port) else {
            throw SystemError("address", code: EINVAL)
        }
        socket = try Self.connected(address)
    }

    init(unixPath path: String) throws {
        guard let address = SocketAddress(unixPath: path) else {
            throw SystemError("address", code: EINVAL)
        }
        socket = try Self.connected(address)
    }

    private static func connected(_ address: SocketAddress) throws -> FileDescriptor {
        let number = Glibc.socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        let socket = FileDescriptor(owning: number)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard address.withPointer({ connect(number, $0, $1) }) == 0 else {
            throw SystemError("connect")
        }
        return socket
    }

    func setReceiveBuffer(_ bytes: Int32) {
        var bytes = bytes
        setsockopt(
            socket.number, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// false when the server has gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket.number, $0.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func endSending() { shutdown(socket.number, Int32(SHUT_WR)) }

    /// The next response; nil when the connection ends or nothing comes for 10 s. `toHead` answers
    /// have no body. Interim responses are answers of their own.
    func answer(toHead: Bool = false) -> Answer? {
        while true {
            if let end = headEnd() {
                let head = String(decoding: received[..<end], as: UTF8.self)
                let lines = head.split(separator: "\r\n").map(String.init)
                let status = Int(lines[0].split(separator: " ")[1]) ?? 0
                let bare = Answer(status: status, headers: Array(lines.dropFirst()), body: [])
                let length = toHead ? 0 : Int(bare.header("content-length") ?? "0") ?? 0
                if received.count >= end + length {
                    let body = Array(received[end..<end + length])
                    received.removeFirst(end + length)
                    return Answer(status: status, headers: bare.headers, body: body)
                }
            }
            guard receive() else { return nil }
        }
    }

    /// Everything until the connection ends, and whether it ended with a reset.
    func rest() -> (bytes: [UInt8], isReset: Bool) {
        while receive() {}
        return (received, wasReset)
    }

    /// Whether the server ends the connection with nothing more to read.
    func isEnded() -> Bool { received.isEmpty && !receive() && !timedOut }

    private(set) var timedOut = false
    private var wasReset = false

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.number, &buffer, buffer.count, 0)
        timedOut = count < 0 && errno == EAGAIN
        wasReset = count < 0 && errno == ECONNRESET
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }

    private func headEnd() -> Int? {
        guard received.count >= 4 else { return nil }
        for index in 0...received.count - 4
        where received[index] == 13 && received[index + 1] == 10 && received[index + 2] == 13
            && received[index + 3] == 10
        {
            return index + 4
        }
        return nil
    }
}
