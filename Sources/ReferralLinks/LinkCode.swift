/// Codes of links: made ones that are easy to read, say and type, and how any code is looked up.
public enum LinkCode {
    /// Without vowels, so that few words appear, and with one at most of what looks alike: 0 and o,
    /// 1, i and l, 2 and z, 5 and s, 8 and b, u and v.
    static let alphabet = Array("345679bcdfghjkmnpqrtvwxy".utf8)
    static let length = 8

    /// A code of `length` characters, the same for the same random `word`.
    public static func code(from word: UInt64) -> String {
        var word = word
        return String(unsafeUninitializedCapacity: length) { text in
            for place in 0..<length {
                let (quotient, remainder) = word.quotientAndRemainder(dividingBy: 24)
                text[place] = alphabet[Int(remainder)]
                word = quotient
            }
            return length
        }
    }

    /// Whether the code holds none of the words in `Data/words.txt`.
    public static func isClean(_ code: String) -> Bool {
        let bytes = Array(code.utf8)
        return !words.contains { word in
            guard word.count <= bytes.count else { return false }
            return (0...(bytes.count - word.count)).contains { start in
                bytes[start..<(start + word.count)].elementsEqual(word)
            }
        }
    }

    /// A clean code; nil when `LinkRules.codeAttemptsMax` draws gave none.
    public static func draw(using random: inout some RandomNumberGenerator) -> String? {
        for _ in 0..<LinkRules.codeAttemptsMax {
            let code = code(from: random.next())
            if isClean(code) { return code }
        }
        return nil
    }

    /// What a code is looked up by: its ASCII letters in lower case.
    public static func key(of code: String) -> String {
        guard code.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return code }
        let bytes = code.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `text` can be a code at all: 3 to 64 ASCII letters, digits, `_` and `-`, the first
    /// and the last of them a letter or digit.
    public static func isWellFormed(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (3...64).contains(bytes.count), let first = bytes.first, let last = bytes.last,
            isAlphanumeric(first), isAlphanumeric(last)
        else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2D }
    }

    /// `text` without what was glued on to its end: the slashes of an address, and what chat
    /// programs and sentences put behind one. It ends in a letter or digit as every code does, so
    /// that nothing of a code is lost.
    public static func bare(_ text: String) -> String {
        func isGlue(_ scalar: Unicode.Scalar) -> Bool {
            if scalar.isASCII { return !isAlphanumeric(UInt8(scalar.value)) }
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter, .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark,
                .spacingMark, .enclosingMark:
                return false
            default: return true
            }
        }
        let scalars = text.unicodeScalars
        guard let last = scalars.lastIndex(where: { !isGlue($0) }) else { return "" }
        return String(scalars[...last])
    }

    /// The keys that differ from `key` in one letter: another one, one less, one more, or two
    /// neighbours swapped.
    public static func neighbours(of key: String) -> [String] {
        let letters = Array(key.utf8)
        var found: Set<[UInt8]> = []
        for place in letters.indices {
            var other = letters
            other.remove(at: place)
            found.insert(other)
            for letter in keyAlphabet {
                other = letters
                other[place] = letter
                found.insert(other)
            }
            if place + 1 < letters.count {
                other = letters
                other.swapAt(place, place + 1)
                found.insert(other)
            }
        }
        for place in 0...letters.count {
            for letter in keyAlphabet {
                var other = letters
                other.insert(letter, at: place)
                found.insert(other)
            }
        }
        found.remove(letters)
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    private static let keyAlphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789_-".utf8)

    /// Whether `code` is a word that a program or a page means something else by, however its
    /// letters are cased and joined: a word of `Data/reserved.txt`.
    public static func isReserved(_ code: String) -> Bool { reserved.contains(joined(code)) }

    /// Whether `code` is one of `codes`, however the letters are cased and joined.
    public static func isAmong(_ codes: [String], _ code: String) -> Bool {
        let key = joined(code)
        return codes.contains { joined($0) == key }
    }

    private static func joined(_ code: String) -> String {
        key(of: code).filter { $0 != "-" && $0 != "_" }
    }

    private static let reserved = Set(DataFile.lines(of: "reserved.txt"))

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static let words: [[UInt8]] = DataFile.lines(of: "words.txt").map { Array($0.utf8) }
}

/// The module's data files, compiled in: lines without comments and blanks around them.
enum DataFile {
    static func lines(of name: String) -> [String] {
        guard let file = EmbeddedFiles.all.first(where: { $0.name == name }) else { return [] }
        return file.text.split(whereSeparator: \.isNewline).compactMap { line in
            let text = line.drop { $0 == " " }
            return text.isEmpty || text.hasPrefix("#") ? nil : String(text)
        }
    }
}
