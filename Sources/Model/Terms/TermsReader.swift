import JSON

/// Reads members of a section of a program's terms; nil for what is absent, null or of another
/// kind.
public struct TermsReader {
    private let object: JSONObject

    public init(_ object: JSONObject?) { self.object = object ?? [:] }

    public func integer(_ name: String) -> Int64? { object[name]?.integerValue }
    /// Nil for null; `fallback` for a member that is not there.
    public func integer(_ name: String, unlessNull fallback: Int64?) -> Int64? {
        object[name] == .null ? nil : integer(name) ?? fallback
    }

    public func flag(_ name: String) -> Bool? { object[name]?.boolValue }
    public func text(_ name: String) -> String? { object[name]?.stringValue }
    public func nested(_ name: String) -> JSONObject? { object[name]?.objectValue }
    public func list(_ name: String) -> [JSONValue]? { object[name]?.arrayValue }

    public func texts(_ name: String) -> [String]? {
        object[name]?.arrayValue?.compactMap(\.stringValue)
    }

    public func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice? {
        text(name).flatMap { Choice(rawValue: $0) }
    }

    /// Each choice once, in the order given.
    public func choices<Choice: RawRepresentable<String> & Equatable>(_ name: String) -> [Choice]? {
        texts(name)?.reduce(into: [Choice]()) { list, text in
            if let choice = Choice(rawValue: text), !list.contains(choice) { list.append(choice) }
        }
    }
}
