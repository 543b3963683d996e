/// A web address that a browser may be sent to: http or https, a host, and no trick in between.
///
/// Refused: other schemes, a user name or password, space, control characters and backslashes
/// (browsers read them as something else than they look), broken percent escapes. Spelled one way:
/// scheme and host in lower case, a host in another script as `xn--…`, the scheme's own port left
/// out, an empty path as `/`; characters that RFC 3986 does not allow, such as `é` or `"`, as
/// percent escapes. Path, query and fragment stay as they are otherwise.
///
/// The query is taken apart once, so that a redirect only appends.
public struct WebURL: Sendable {
    /// The longest address taken: what browsers and proxies carry without harm.
    public static let bytesMax = 4096

    /// `http` or `https`.
    public let scheme: String
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    public let host: String
    /// Nil for the scheme's own port.
    public let port: UInt16?
    /// The whole address, ASCII only: safe in a `Location` header.
    public let text: String

    private let beforeQuery: String
    private let parameters: [Parameter]
    /// With its number sign, or empty.
    private let fragment: String

    /// One part of the query. The name is nil when it does not decode; such a part is never
    /// replaced.
    private struct Parameter: Sendable {
        let name: String?
        let raw: String
    }

    public init?(_ text: String) {
        guard text.utf8.count <= WebURL.bytesMax,
            !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }),
            let schemeEnd = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            text.utf8[schemeEnd...].starts(with: "://".utf8)
        else { return nil }
        let scheme = text[..<schemeEnd].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        // Counted in bytes: as a Character a slash may carry a combining mark away with it.
        let rest = Substring(text.utf8[schemeEnd...].dropFirst(3))
        let authorityEnd =
            rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        guard let (host, port) = WebURL.authority(rest[..<authorityEnd], scheme: scheme),
            let tail = WebURL.escaped(rest[authorityEnd...])
        else { return nil }

        let hash = tail.utf8.firstIndex(of: UInt8(ascii: "#")) ?? tail.endIndex
        let question = tail[..<hash].utf8.firstIndex(of: UInt8(ascii: "?")) ?? hash
        let path = question == tail.startIndex ? "/" : tail[..<question]
        self.scheme = scheme
        self.host = host
        self.port = port
        beforeQuery = WebURL.origin(scheme, host, port) + path
        fragment = String(tail[hash...])
        self.text = beforeQuery + tail[question...]
        parameters = tail[question..<hash].utf8.dropFirst()
            .split(separator: UInt8(ascii: "&"))
            .map { raw in
                let name = raw.prefix { $0 != UInt8(ascii: "=") }
                return Parameter(
                    name: PercentCoding.decode(bytes: name, plusIsSpace: true),
                    raw: String(Substring(raw)))
            }
    }

    /// `https://example.com:8443`, without the scheme's own port (RFC 6454 section 6.2).
    public var origin: String { WebURL.origin(scheme, host, port) }

    /// The address with these query parameters, in their order, after those it has already. A
    /// parameter it has under the same decoded name is replaced; all others keep their spelling
    /// (empty ones, as in `a&&b`, go), and the fragment stays. Names and values are percent-encoded
    /// here.
    public func settingQuery(_ pairs: [(name: String, value: String)]) -> String {
        var bytes: [UInt8] = []
        let added = pairs.reduce(1) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }
        bytes.reserveCapacity(text.utf8.count + added)
        bytes.append(contentsOf: beforeQuery.utf8)
        var separator = UInt8(ascii: "?")
        for parameter in parameters {
            if let name = parameter.name, pairs.contains(where: { $0.name == name }) { continue }
            bytes.append(separator)
            bytes.append(contentsOf: parameter.raw.utf8)
            separator = UInt8(ascii: "&")
        }
        for (name, value) in pairs {
            bytes.append(separator)
            PercentCoding.append(name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            PercentCoding.append(value, to: &bytes)
            separator = UInt8(ascii: "&")
        }
        bytes.append(contentsOf: fragment.utf8)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func origin(_ scheme: String, _ host: String, _ port: UInt16?) -> String {
        port.map { "\(scheme)://\(host):\($0)" } ?? "\(scheme)://\(host)"
    }

    private static func authority(_ text: Substring, scheme: String) -> (String, UInt16?)? {
        // The colons of an IPv6 address stand inside its brackets.
        let hostEnd: Substring.Index
        if let bracket = text.utf8.lastIndex(of: UInt8(ascii: "]")) {
            hostEnd = text.utf8.index(after: bracket)
        } else {
            hostEnd = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        }
        guard let host = URLHost.normalized(text[..<hostEnd]) else { return nil }
        guard hostEnd < text.endIndex else { return (host, nil) }
        guard text.utf8[hostEnd] == UInt8(ascii: ":"),
            let port = URLHost.port(Substring(text.utf8[hostEnd...].dropFirst()))
        else { return nil }
        return (host, port == (scheme == "http" ? 80 : 443) ? nil : port)
    }

    /// `text` with escapes for what RFC 3986 does not allow; nil when an escape in it is broken.
    private static func escaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var escapeDigits = 0
        for byte in text.utf8 {
            if escapeDigits > 0 {
                guard PercentCoding.hexValue(byte) != nil else { return nil }
                escapeDigits -= 1
                bytes.append(byte)
            } else if byte >= 0x80 || "\"<>^`{|}".utf8.contains(byte) {
                PercentCoding.appendEscape(of: byte, to: &bytes)
            } else {
                if byte == UInt8(ascii: "%") { escapeDigits = 2 }
                bytes.append(byte)
            }
        }
        return escapeDigits == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}

extension WebURL: Hashable {
    /// The text says all.
    public static func == (left: WebURL, right: WebURL) -> Bool { left.text == right.text }

    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
