@_spi(_Unicode) import Swift

/// A name that the operator gives to a thing of its own: an `external_id`, a `reference`, a `sku`,
/// the code of a link. Two spellings that a reader takes for one are one key, so that a blank or a
/// differently composed accent never makes a second sale of the first.
public enum NaturalKey {
    /// As it is kept and compared: without white space, U+200B and U+FEFF at either end, composed
    /// (NFC). Nil if nothing is left, or if a control character stands inside.
    public static func normalized(_ text: String) -> String? {
        if isNormal(text) { return text }
        let scalars = trimmed(text)
        guard !scalars.isEmpty,
            !scalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        return composed(String(scalars))
    }

    /// `text` without what `normalized` takes from its ends.
    public static func trimmed(_ text: String) -> Substring.UnicodeScalarView {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return Substring("").unicodeScalars }
        return scalars[first...last]
    }

    /// Normalization Form C (Unicode Standard Annex 15).
    public static func composed(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x09...0x0D: true
        case ..<0x80: false
        default: scalar.properties.isWhitespace || scalar.value == 0x200B || scalar.value == 0xFEFF
        }
    }

    /// What most keys are: ASCII without control characters, and no blank at either end.
    private static func isNormal(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return first != 0x20 && last != 0x20
            && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
