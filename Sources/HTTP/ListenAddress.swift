/// Where a server listens.
public enum ListenAddress: Sendable, Equatable {
    /// `host` is an IPv4 or IPv6 address or `localhost` (127.0.0.1); `::` takes IPv4 as well. Port
    /// 0 takes any free one.
    case tcp(host: String, port: Int)
    /// A Unix-domain socket and the permissions of its file.
    case unix(path: String, mode: UInt16)
    /// A socket that already listens, handed over by the starter (systemd). The server owns it from
    /// then.
    case inherited(Int32)

    /// `127.0.0.1:8080`, `[::1]:8080`, `localhost:0` or `unix:/path` (mode 0660). nil for anything
    /// else; whether the address can be bound shows only then.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), !path.utf8.contains(0) else { return nil }
            self = .unix(path: path, mode: 0o660)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit),
            let port = Int(digits), port <= 65_535
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.utf8.contains(0) else { return nil }
        self = .tcp(host: String(host), port: port)
    }
}
