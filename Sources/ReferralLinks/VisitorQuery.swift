import Model

/// The query that a visitor brings to `/r/{code}`: taken apart once, for the redirect and for the
/// touch.
public struct VisitorQuery: Sendable {
    /// Parameters kept; what comes after them is dropped.
    public static let partsMax = 100

    struct Part: Sendable {
        /// Decoded; nil when it cannot be.
        let name: String?
        let value: String?
        /// As sent.
        let raw: Substring
    }

    let parts: [Part]

    /// Takes `text` apart, the part of the target after `?`.
    public init(_ text: String) {
        guard !text.isEmpty else {
            parts = []
            return
        }
        parts = text.split(separator: "&").prefix(VisitorQuery.partsMax).map { raw in
            let pair = PercentCoding.formDecode(raw, pairsMax: 1)?.first
            return Part(name: pair?.name, value: pair?.value, raw: raw)
        }
    }

    public var isEmpty: Bool { parts.isEmpty }

    /// The value of the first parameter of this name.
    func value(of name: String) -> String? { parts.first { $0.name == name }?.value }
}
