/// A name in free words, such as an industry or a part of an account: the same one however it is
/// spaced and whatever its case.
public enum FreeText {
    /// As it is kept: without white space around it and with single spaces in it; nil when nothing
    /// is left.
    public static func tidied(_ text: String) -> String? {
        let words = text.unicodeScalars.filter { $0.properties.generalCategory != .format }
            .split { $0.properties.isWhitespace }
        return words.isEmpty ? nil : words.map { String($0) }.joined(separator: " ")
    }

    /// By what names are compared. There and back again folds more than either: `ß` is `ss`.
    public static func key(_ text: String?) -> String? {
        text.flatMap { tidied($0) }.map { $0.uppercased().lowercased() }
    }
}
