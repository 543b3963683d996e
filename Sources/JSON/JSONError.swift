/// Why a JSON text was refused, and where. Never carries a value of the text.
public struct JSONError: Error, Sendable, Hashable {
    /// The stable codes clients see.
    public enum Code: String, Sendable, CaseIterable {
        case syntax = "invalid_json"
        case duplicateName = "duplicate_member"
        case tooDeep = "too_deep"
        case invalidUTF8 = "invalid_utf8"
        case loneSurrogate = "lone_surrogate"
        case nullCharacter = "null_character"
        case byteOrderMark = "byte_order_mark"
        case numberTooLong = "number_too_long"
        case tooManyMembers = "too_many_members"
        case nameTooLong = "name_too_long"
        case tooManyValues = "too_many_values"
    }

    public let code: Code
    /// The faulty value as a JSON Pointer (RFC 6901); empty for the whole text. A fault between the
    /// values of a container points at the container.
    public internal(set) var pointer: String
    /// Where in the bytes the fault was seen.
    public let offset: Int
    private let words: String

    init(_ code: Code, at offset: Int, _ words: StaticString) {
        self.code = code
        self.pointer = ""
        self.offset = offset
        self.words = words.description
    }

    /// Fixed words and the offset.
    public var detail: String { "\(words) at byte \(offset)" }

    /// The same error seen from the container that holds the value as `token`.
    func inside(_ token: String) -> JSONError {
        var error = self
        error.pointer = "/" + JSONPointer.escape(token) + pointer
        return error
    }
}

/// JSON Pointer (RFC 6901), the writing half: errors point at what they refuse.
public enum JSONPointer {
    /// One reference token with `~` as `~0` and `/` as `~1` (section 3).
    public static func escape(_ token: String) -> String {
        guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") })
        else { return token }
        var escaped = ""
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
