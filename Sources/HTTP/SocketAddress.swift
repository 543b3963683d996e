import CLinux
import Glibc
import Platform

/// A `sockaddr` of any family that this server knows.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// An IPv4 or IPv6 address in text, or `localhost`.
    init?(host: String, port: Int) {
        let bigEndianPort = in_port_t(truncatingIfNeeded: port).bigEndian
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = bigEndianPort
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: four, as: sockaddr_in.self) }
        } else if inet_pton(AF_INET6, host, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = bigEndianPort
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: six, as: sockaddr_in6.self) }
        } else {
            return nil
        }
    }

    /// nil when the path does not fit into `sockaddr_un`, 107 bytes on Linux.
    init?(unixPath path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= 107 else { return nil }
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        withUnsafeMutableBytes(of: &storage) { target in
            target.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
            target.baseAddress?.advanced(by: 2).copyMemory(from: bytes, byteCount: bytes.count)
        }
    }

    /// What a socket is bound to.
    init(boundOf socket: Int32) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var length = length
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getsockname(socket, $0, &length)
            }
        }
        self.length = length
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The port; 0 where there is none. It is at the same place for both families.
    var port: Int {
        guard family == AF_INET || family == AF_INET6 else { return 0 }
        return withUnsafeBytes(of: storage) {
            Int(UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    var text: String {
        switch Peer(storage, socket: -1) {
        case .ipv4(let bits): "\(Peer.ipv4(bits)):\(port)"
        case .ipv6(let high, let low): "[\(Peer.ipv6(high, low))]:\(port)"
        case .unix: "unix:" + unixPath
        }
    }

    private var unixPath: String {
        withUnsafeBytes(of: storage) { bytes in
            String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// The file of a Unix-domain socket that we bound.
struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let node: ino_t

    /// The file as it is now, right after bind; nil when it is gone already.
    init?(_ path: String) {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return nil }
        self.path = path
        device = facts.st_dev
        node = facts.st_ino
    }

    /// Unlinks the file, unless another process has put its own in that place since.
    func remove() {
        guard let now = SocketFile(path), now.device == device, now.node == node else { return }
        unlink(path)
    }

    /// Unlinks a socket that nobody listens on any more, left by a process that was killed. Throws
    /// EADDRINUSE when somebody listens, or when the file is no socket.
    static func removeStale(_ path: String, _ address: SocketAddress) throws {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return }
        let isTaken = SystemError("bind", code: EADDRINUSE)
        guard facts.st_mode & S_IFMT == S_IFSOCK else { throw isTaken }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        let probe = FileDescriptor(owning: number)
        let result = address.withPointer { connect(probe.number, $0, $1) }
        guard result != 0, errno == ECONNREFUSED else { throw isTaken }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("unlink") }
    }
}
