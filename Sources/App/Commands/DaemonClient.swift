import Glibc
import HTTP
import JSON
import Platform

/// Speaks to a running daemon through its private Unix socket: one request, one connection.
struct DaemonClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// The body as a JSON object; empty when it is something else.
        var json: JSONObject {
            guard let value = try? JSONValue.parse(body) else { return [:] }
            return value.objectValue ?? [:]
        }
    }

    /// The daemon's answer cannot be understood.
    struct Garbled: Error, CustomStringConvertible {
        var description: String { "the daemon's answer is not HTTP" }
    }

    let path: String

    /// Largest answer that is read.
    private static let answerBytesMax = 64 << 20

    /// Whether somebody listens at the socket.
    var isAnswered: Bool {
        do {
            let descriptor = try connect()
            return descriptor.number >= 0
        } catch { return false }
    }

    func get(_ target: String, headers: [(String, String)] = []) throws -> Answer {
        try send("GET", target, headers: headers, body: nil)
    }

    func post(
        _ target: String, _ json: JSONValue, headers: [(String, String)] = []
    ) throws -> Answer {
        try send(
            "POST", target, headers: headers + [("Content-Type", "application/json")],
            body: json.encoded())
    }

    func post(_ target: String, text: String, type: String) throws -> Answer {
        try send(
            "POST", target, headers: [("Content-Type", type)], body: Array(text.utf8))
    }

    private func send(
        _ method: String, _ target: String, headers: [(String, String)], body: [UInt8]?
    ) throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        let descriptor = try connect()
        try write(Array((head + "\r\n").utf8) + (body ?? []), to: descriptor)
        return try DaemonClient.parse(read(from: descriptor))
    }

    private func connect() throws -> FileDescriptor {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        let descriptor = FileDescriptor(owning: number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("connect", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw SystemError("connect") }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to descriptor: borrowing FileDescriptor) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(
                    descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("send") }
            sent += count
        }
    }

    private func read(from descriptor: borrowing FileDescriptor) throws -> [UInt8] {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while answer.count < DaemonClient.answerBytesMax {
            let count = recv(descriptor.number, &chunk, chunk.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("recv") }
            if count == 0 { break }
            answer += chunk[..<count]
        }
        return answer
    }

    /// The server closes after this answer, so the body is all that follows the head.
    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count > 12,
            let start = bytes.indices.dropLast(3).first(where: {
                bytes[$0..<($0 + 4)].elementsEqual(end)
            })
        else { throw Garbled() }
        let lines = String(decoding: bytes[..<start], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "),
            let status = Int(first.dropFirst(9).prefix(3))
        else { throw Garbled() }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), line[line.index(after: colon)...].trimmed)
        }
        return Answer(status: status, headers: headers, body: Array(bytes[(start + 4)...]))
    }
}
