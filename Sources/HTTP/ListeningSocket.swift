import CLinux
import Glibc
import Platform

/// One bound, listening, non-blocking socket. TCP: one per loop. Others: one, shared by all loops.
///
/// Owns its descriptor and, for Unix-domain sockets, the file: both go with the last loop that lets
/// go.
final class ListeningSocket: Sendable {
    let descriptor: FileDescriptor
    /// The index into `ServerConfiguration.listeners`.
    let listener: Int
    let isShared: Bool
    /// As a client would write it.
    let address: String
    /// 0 for Unix-domain sockets.
    let port: Int
    private let file: SocketFile?

    private init(
        _ descriptor: consuming FileDescriptor, listener: Int, isShared: Bool, address: String,
        port: Int, file: SocketFile? = nil
    ) {
        self.descriptor = descriptor
        self.listener = listener
        self.isShared = isShared
        self.address = address
        self.port = port
        self.file = file
    }

    deinit {
        file?.remove()
    }

    /// Binds `address` for `loops` loops; one socket for each, or one for all.
    static func open(
        _ address: ListenAddress, listener: Int, loops: Int
    ) throws -> [ListeningSocket] {
        switch address {
        case .tcp(let host, let port):
            guard loops > 1 else { return [try openTCP(host, port, listener: listener)] }
            // Sharing among our loops must not become sharing with another server that came first:
            // a socket that shares with nobody finds out.
            if port != 0 { _ = try bindTCP(host, port, isOneOfMany: false) }
            let first = try openTCP(host, port, listener: listener, isOneOfMany: true)
            // The others get the port that the first one got.
            return try [first]
                + (1..<loops).map { _ in
                    try openTCP(host, first.port, listener: listener, isOneOfMany: true)
                }
        case .unix(let path, let mode):
            return [try openUnix(path, mode, listener: listener)]
        case .inherited(let number):
            return [try adopt(number, listener: listener)]
        }
    }

    private static func openTCP(
        _ host: String, _ port: Int, listener: Int, isOneOfMany: Bool = false
    ) throws -> ListeningSocket {
        let descriptor = try bindTCP(host, port, isOneOfMany: isOneOfMany)
        return try listening(descriptor, listener: listener, isShared: false)
    }

    private static func bindTCP(
        _ host: String, _ port: Int, isOneOfMany: Bool
    ) throws -> FileDescriptor {
        guard let address = SocketAddress(host: host, port: port) else {
            throw SystemError("listen address", code: EINVAL)
        }
        let descriptor = try openSocket(address.family)
        try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        // Gives each loop an accept queue of its own.
        if isOneOfMany { try setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.family == AF_INET6 {
            try setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
        }
        try check("bind", address.withPointer { bind(descriptor.number, $0, $1) })
        return descriptor
    }

    private static func openUnix(
        _ path: String, _ mode: UInt16, listener: Int
    ) throws -> ListeningSocket {
        guard let address = SocketAddress(unixPath: path) else {
            throw SystemError("listen path", code: ENAMETOOLONG)
        }
        try SocketFile.removeStale(path, address)
        let descriptor = try openSocket(AF_UNIX)
        // The file takes the socket's mode less the umask, so it is never wider than asked, not
        // even briefly.
        try check("fchmod", fchmod(descriptor.number, mode_t(mode)))
        try check("bind", address.withPointer { bind(descriptor.number, $0, $1) })
        let file = SocketFile(path)
        try check("chmod", chmod(path, mode_t(mode)))
        try check("listen", listen(descriptor.number, backlog))
        return ListeningSocket(
            descriptor, listener: listener, isShared: true, address: "unix:\(path)", port: 0,
            file: file)
    }

    private static func adopt(_ number: Int32, listener: Int) throws -> ListeningSocket {
        let descriptor = FileDescriptor(owning: number)
        try check("fcntl", fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK))
        try check("fcntl", fcntl(number, F_SETFD, FD_CLOEXEC))
        return try listening(descriptor, listener: listener, isShared: true)
    }

    private static func listening(
        _ descriptor: consuming FileDescriptor, listener: Int, isShared: Bool
    ) throws -> ListeningSocket {
        let number = descriptor.number
        let address = SocketAddress(boundOf: number)
        if address.family != AF_UNIX {
            // Accepted sockets inherit it, which saves a call for each.
            try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            try setOption(
                descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, Limits.kernelUnsentBytesMax)
        }
        try check("listen", listen(number, backlog))
        return ListeningSocket(
            descriptor, listener: listener, isShared: isShared, address: address.text,
            port: address.port)
    }

    /// The kernel cuts it to net.core.somaxconn.
    private static let backlog: Int32 = 4096

    private static func openSocket(_ family: Int32) throws -> FileDescriptor {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(family, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard number >= 0 else { throw SystemError("socket") }
        return FileDescriptor(owning: number)
    }

    private static func setOption(
        _ descriptor: borrowing FileDescriptor, _ level: Int32, _ option: Int32, _ value: Int32
    ) throws {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        try check("setsockopt", setsockopt(descriptor.number, level, option, &value, size))
    }

    private static func check(_ operation: String, _ result: Int32) throws {
        guard result == 0 || (operation == "fcntl" && result > 0) else {
            throw SystemError(operation)
        }
    }
}
