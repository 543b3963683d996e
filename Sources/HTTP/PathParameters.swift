import Glibc

/// The values that a path gave to its template's parameters, percent-decoded once.
public struct PathParameters: Sendable {
    private let names: [String]
    // The first value has a place of its own: most routes have one, and it then costs no array.
    private let first: String
    private let others: [String]

    init(names: [String], first: String, others: [String]) {
        self.names = names
        self.first = first
        self.others = others
    }

    public var count: Int { names.count }

    /// The value of the template's `{name}`.
    public subscript(name: String) -> String? {
        guard let index = names.firstIndex(of: name) else { return nil }
        return self[index]
    }

    /// The value of the template's parameter number `index`, from 0; nil beyond the last.
    public subscript(index: Int) -> String? {
        guard index >= 0, index < names.count else { return nil }
        return index == 0 ? first : others[index - 1]
    }

    /// Decodes one path segment, or refuses it: empty, a bad escape, a control character, "/"
    /// (which would hide a segment), a dot segment, or not UTF-8.
    static func decode(_ segment: UnsafeBufferPointer<UInt8>) -> String? {
        guard !segment.isEmpty else { return nil }
        if segment.firstIndex(of: UInt8(ascii: "%"), from: 0) == nil {
            guard !segment.equals("."), !segment.equals("..") else { return nil }
            return String(validating: segment, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(segment.count)
        var index = 0
        while index < segment.count {
            var byte = segment[index]
            index += 1
            if byte == UInt8(ascii: "%") {
                guard index + 1 < segment.count,
                    let high = segment[index].hexadecimalValue,
                    let low = segment[index + 1].hexadecimalValue
                else { return nil }
                byte = high << 4 | low
                index += 2
            }
            guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "/") else { return nil }
            bytes.append(byte)
        }
        guard bytes != [0x2E], bytes != [0x2E, 0x2E] else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
