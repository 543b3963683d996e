import Glibc

// Byte comparisons that the parser and header look-ups share; none of them makes a String.

extension UnsafeBufferPointer<UInt8> {
    /// Whether the bytes are exactly those of `text`.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        guard let base = baseAddress else { return true }
        return memcmp(base, text.utf8Start, count) == 0
    }

    /// Whether the bytes are those of `name` but for the case of ASCII letters. Exact for names
    /// made of letters, digits and "-", which is all that this module looks for.
    func equalsIgnoringCase(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        let other = name.utf8Start
        for index in 0..<count where self[index] | 0x20 != other[index] | 0x20 { return false }
        return true
    }

    /// The part in `range`, which must lie inside.
    func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: self[range])
    }

    /// The index of the first `byte` at or after `start`.
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress else { return nil }
        guard let found = memchr(base + start, Int32(byte), count - start) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// The bytes without spaces and tabs at either end (OWS, RFC 9110 section 5.6.3).
    var withoutOuterSpace: UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = count
        while start < end, self[start].isSpaceOrTab { start += 1 }
        while end > start, self[end - 1].isSpaceOrTab { end -= 1 }
        return part(start..<end)
    }

    /// Calls `body` with each element of a comma-separated list; empty elements are left out
    /// (RFC 9110 section 5.6.1.2).
    func forEachElement(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        var start = 0
        while start <= count {
            let end = firstIndex(of: UInt8(ascii: ","), from: start) ?? count
            let element = part(start..<end).withoutOuterSpace
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}

extension UInt8 {
    var isSpaceOrTab: Bool { self == 0x20 || self == 0x09 }
    var isDigit: Bool { self &- 0x30 < 10 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// A character of a token (RFC 9110 section 5.6.2), by two 64-bit sets.
    var isToken: Bool {
        // ! # $ % & ' * + - . 0-9 | A-Z ^ _ ` a-z | ~
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        return self < 64
            ? (low >> UInt64(self)) & 1 == 1 : self < 128 && (high >> UInt64(self - 64)) & 1 == 1
    }

    /// A character that a field value may hold: VCHAR, space, tab, obs-text (RFC 9110 section 5.5).
    var isFieldContent: Bool { (self >= 0x20 && self != 0x7F) || self == 0x09 }

    /// The value of a hexadecimal digit of either case.
    var hexadecimalValue: UInt8? {
        if isDigit { return self - 0x30 }
        let letter = (self | 0x20) &- 0x61
        return isLetter && letter < 6 ? letter + 10 : nil
    }
}
