import Glibc

/// The bytes of a zone file of this machine.
enum ZoneFile {
    /// No zone file of the IANA database has a tenth of it.
    private static let bytesMax = 1 << 18

    /// Where the package `tzdata` puts them; `TZDIR` says otherwise, as for every program.
    private static var folder: String {
        guard let value = getenv("TZDIR") else { return "/usr/share/zoneinfo" }
        return String(cString: value)
    }

    static func read(_ name: String) -> [UInt8]? {
        guard isName(name) else { return nil }
        let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var count = 0
        while count < bytesMax {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress! + count, bytesMax - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { return nil }
            if got == 0 { return Array(bytes[..<count]) }
            count += got
        }
        return nil
    }

    /// `Europe/Berlin`, `America/Argentina/Buenos_Aires`, `Etc/GMT+3`: up to three words that begin
    /// with a capital letter, so that a name neither leaves the folder nor means one of its other
    /// files (`posix/…`, `right/…`, `localtime`).
    static func isName(_ name: String) -> Bool {
        let words = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return (1...3).contains(words.count) && name.utf8.count <= 64 && name != "Factory"
            && words.allSatisfy { word in
                guard let first = word.first, (0x41...0x5A).contains(first) else { return false }
                return word.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                    default: "_+-".utf8.contains(byte)
                    }
                }
            }
    }
}
