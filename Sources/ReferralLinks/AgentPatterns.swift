/// Who is no person: agents by parts of their name, and scanners by the page they claim to come
/// from, as `Data/bots.txt` lists them.
public struct AgentPatterns: Sendable {
    /// What the file compiled into the program says.
    public static let standard = AgentPatterns(lines: DataFile.lines(of: "bots.txt"))

    private struct Pattern: Sendable {
        let kind: Click.Class
        let text: String
        let bytes: [UInt8]
    }

    /// In the file's order: the first that matches decides.
    private let patterns: [Pattern]
    /// Indices into `patterns` by first byte, so that one pass over the agent finds all.
    private let byFirstByte: [[Int]]
    /// Texts that look like a bot's and are not; they are passed over.
    private let exceptions: [[UInt8]]
    private let scanners: [String]

    /// Reads lines of a kind (`bot`, `preview`, `except`, `scanner`), a space and a text in lower
    /// case. Other lines mean nothing.
    public init(lines: [String]) {
        var patterns: [Pattern] = []
        var exceptions: [[UInt8]] = []
        var scanners: [String] = []
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1).map { $0.lowercased() }
            guard parts.count == 2, !parts[1].isEmpty else { continue }
            switch parts[0] {
            case "except": exceptions.append(Array(parts[1].utf8))
            case "scanner": scanners.append(parts[1])
            default:
                guard let kind = Click.Class(name: parts[0]) else { continue }
                patterns.append(
                    Pattern(kind: kind, text: parts[1], bytes: Array(parts[1].utf8)))
            }
        }
        var byFirstByte = [[Int]](repeating: [], count: 256)
        for (index, pattern) in patterns.enumerated() {
            byFirstByte[Int(pattern.bytes[0])].append(index)
        }
        self.patterns = patterns
        self.byFirstByte = byFirstByte
        self.exceptions = exceptions
        self.scanners = scanners
    }

    /// The first pattern of the file that is part of `agent`, whatever the case of its letters.
    public func match(agent: String) -> (kind: Click.Class, pattern: String)? {
        var bytes = agent.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        blankExceptions(in: &bytes)
        var best = patterns.count
        bytes.withUnsafeBufferPointer { bytes in
            for start in bytes.indices {
                for index in byFirstByte[Int(bytes[start])] {
                    if index >= best { break }
                    if AgentPatterns.holds(bytes, patterns[index].bytes, at: start) {
                        best = index
                        break
                    }
                }
            }
        }
        guard best < patterns.count else { return nil }
        return (patterns[best].kind, patterns[best].text)
    }

    /// The listed scanner that `host` is, or is under.
    public func scanner(referrerHost host: String) -> String? {
        scanners.first { host == $0 || host.hasSuffix("." + $0) }
    }

    private func blankExceptions(in bytes: inout [UInt8]) {
        for exception in exceptions where exception.count <= bytes.count {
            for start in 0...(bytes.count - exception.count)
            where bytes[start] == exception[0]
                && bytes[start..<(start + exception.count)].elementsEqual(exception)
            {
                for place in start..<(start + exception.count) { bytes[place] = 0x20 }
            }
        }
    }

    private static func holds(
        _ bytes: UnsafeBufferPointer<UInt8>, _ part: [UInt8], at start: Int
    ) -> Bool {
        guard start + part.count <= bytes.count else { return false }
        for place in part.indices where bytes[start + place] != part[place] { return false }
        return true
    }
}
