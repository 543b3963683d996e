import Model

/// Where a link sends its visitors, prepared so that a redirect only joins texts: the destination
/// with the link's UTM fields, `ref` and an empty `click_id` at its end, and the fragment.
///
/// Who names a parameter wins in this order: ours (`ref`, `click_id`), the link's UTM fields, the
/// destination's own query; a visitor's parameter of another name is kept, one of the same name is
/// not, because a request must not change what the operator has stored.
public struct RedirectTarget: Sendable {
    /// Ends in `click_id=`.
    private let head: String
    /// With its number sign, or empty.
    private let fragment: String
    private let ownNames: [String]

    public init(_ destination: WebURL, utm: CampaignTags, code: String) {
        var pairs = utm.pairs.map { (name: "utm_" + $0.name, value: $0.value) }
        pairs.append(("ref", code))
        pairs.append(("click_id", ""))
        let text = destination.settingQuery(pairs)
        let hash = text.utf8.firstIndex(of: UInt8(ascii: "#")) ?? text.endIndex
        head = String(text[..<hash])
        fragment = String(text[hash...])
        let question = head.utf8.firstIndex(of: UInt8(ascii: "?")) ?? head.endIndex
        ownNames = VisitorQuery(String(head[question...].dropFirst())).parts.compactMap(\.name)
    }

    /// The value of `Location` for one click: ASCII without spaces or controls.
    public func location(click: ClickID, query: VisitorQuery) -> String {
        let id = click.description
        guard !query.isEmpty else { return head + id + fragment }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.utf8.count + id.utf8.count + fragment.utf8.count + 256)
        bytes.append(contentsOf: head.utf8)
        bytes.append(contentsOf: id.utf8)
        for part in query.parts {
            if let name = part.name, ownNames.contains(name) { continue }
            bytes.append(UInt8(ascii: "&"))
            RedirectTarget.append(part.raw.utf8, to: &bytes)
        }
        bytes.append(contentsOf: fragment.utf8)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends a part as sent. Only what must not stand in a URL is escaped: other than visible
    /// ASCII, the characters that RFC 3986 leaves out, and a percent sign that begins no escape.
    private static func append(_ raw: Substring.UTF8View, to bytes: inout [UInt8]) {
        var index = raw.startIndex
        while index < raw.endIndex {
            let byte = raw[index]
            let next = raw.index(after: index)
            let isKept =
                byte == UInt8(ascii: "%")
                ? raw[next...].prefix(2).count { isHexDigit($0) } == 2
                : byte > 0x20 && byte < 0x7F && !"\"#<>\\^`{|}".utf8.contains(byte)
            if isKept {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            }
            index = next
        }
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}
