/// The part of an account that a claim is for, such as a product or a region: free text, which is
/// the same part however it is spaced and whatever its case.
public enum AccountPart {
    /// As it is kept: without white space around it and with single spaces in it; nil when nothing
    /// is left, which is the whole account.
    public static func tidied(_ text: String) -> String? {
        let words = text.unicodeScalars.filter { $0.properties.generalCategory != .format }
            .split { $0.properties.isWhitespace }
        return words.isEmpty ? nil : words.map { String($0) }.joined(separator: " ")
    }

    /// By what parts are compared. There and back again folds more than either: `ß` is `ss`.
    public static func key(_ part: String?) -> String? {
        part.flatMap { tidied($0) }.map { $0.uppercased().lowercased() }
    }
}

extension AccountClaim {
    public var partKey: String? { AccountPart.key(part) }
}
