// The string half of the parser: RFC 8259 section 7 with the restrictions of RFC 7493 section 2.1.

extension JSONParser {
    /// The rest of a string after its opening quotation mark, including the closing one.
    mutating func parseString() throws(JSONError) -> String {
        let start = place
        while place < input.count {
            let byte = input[place]
            if byte == UInt8(ascii: "\"") {
                let text = String(
                    decoding: UnsafeBufferPointer(rebasing: input[start..<place]), as: UTF8.self)
                place += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            try skipCharacter(byte)
        }
        throw JSONError(.syntax, at: place, "a string does not end")
    }

    /// The slow way, for strings with an escape: the bytes are collected.
    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var bytes: [UInt8] = []
        var runStart = start
        while place < input.count {
            let byte = input[place]
            if byte == UInt8(ascii: "\"") {
                bytes.append(contentsOf: input[runStart..<place])
                place += 1
                return String(decoding: bytes, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: input[runStart..<place])
                try parseEscape(into: &bytes)
                runStart = place
            } else {
                try skipCharacter(byte)
            }
        }
        throw JSONError(.syntax, at: place, "a string does not end")
    }

    /// Steps over one unescaped character that starts with `byte`.
    private mutating func skipCharacter(_ byte: UInt8) throws(JSONError) {
        if byte < 0x80 {
            guard byte >= 0x20 else {
                throw byte == 0
                    ? JSONError(.nullCharacter, at: place, "a string contains U+0000")
                    : JSONError(.syntax, at: place, "a string contains a bare control character")
            }
            place += 1
            return
        }
        let length = UTF8Sequence.length(in: input, at: place)
        guard length > 0 else {
            // An encoded surrogate is what a broken UTF-16 converter writes; both names are true,
            // and the encoding is the earlier fault.
            throw JSONError(.invalidUTF8, at: place, "a string is not valid UTF-8")
        }
        place += length
    }

    private mutating func parseEscape(into bytes: inout [UInt8]) throws(JSONError) {
        let start = place
        place += 1
        let letter = next
        place += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            bytes.append(contentsOf: UTF8Sequence.encode(try parseUnicodeEscape()))
        default:
            throw JSONError(.syntax, at: start, "a backslash starts no known escape")
        }
    }

    /// The scalar of `\uXXXX`, or of two such escapes that make a surrogate pair.
    private mutating func parseUnicodeEscape() throws(JSONError) -> UInt32 {
        let start = place - 2
        let unit = try parseHexDigits(of: start)
        switch unit {
        case 0:
            throw JSONError(.nullCharacter, at: start, "a string contains U+0000")
        case 0xD800...0xDBFF:
            guard place + 1 < input.count, input[place] == UInt8(ascii: "\\"),
                input[place + 1] == UInt8(ascii: "u")
            else { throw loneSurrogate(at: start) }
            let second = place
            place += 2
            let low = try parseHexDigits(of: second)
            guard (0xDC00...0xDFFF).contains(low) else { throw loneSurrogate(at: start) }
            return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        case 0xDC00...0xDFFF:
            throw loneSurrogate(at: start)
        default:
            return unit
        }
    }

    private mutating func parseHexDigits(of escape: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch next {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = next - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = next - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = next - UInt8(ascii: "A") + 10
            default:
                throw JSONError(.syntax, at: escape, "a \\u escape needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }

    private func loneSurrogate(at offset: Int) -> JSONError {
        JSONError(.loneSurrogate, at: offset, "half of a surrogate pair stands alone")
    }
}

/// UTF-8 as RFC 3629 defines it: shortest form only, no surrogates, nothing above U+10FFFF.
enum UTF8Sequence {
    /// The length of the well-formed sequence of two to four bytes at `place`; 0 when there is
    /// none.
    static func length(in input: UnsafeBufferPointer<UInt8>, at place: Int) -> Int {
        let first = input[place]
        let left = input.count - place
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard left >= length, second.contains(input[place + 1]) else { return 0 }
        for index in 2..<max(length, 2) where input[place + index] & 0xC0 != 0x80 { return 0 }
        return length
    }

    static func encode(_ scalar: UInt32) -> [UInt8] {
        guard let scalar = Unicode.Scalar(scalar) else { return [] }
        return Array(String(scalar).utf8)
    }
}
