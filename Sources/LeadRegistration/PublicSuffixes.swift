import Model
import Platform

/// Under which names anybody can register a domain (Public Suffix List): finds the part of a name
/// that belongs to one owner, `acme.co.uk` of `shop.acme.co.uk`. The private section counts too, so
/// each shop on a platform is an account of its own.
public struct PublicSuffixes: Sendable {
    /// The list that is compiled in; read at first use.
    public static let standard = PublicSuffixes(lines: DataFile.lines(of: "public_suffix_list.dat"))

    private var rules: Set<String> = []
    /// What stands behind the asterisk.
    private var wildcards: Set<String> = []
    private var exceptions: Set<String> = []

    /// Reads rules (`com`, `*.ck`, `!www.ck`), one a line; comments begin with `//`.
    public init(lines: [String]) {
        rules.reserveCapacity(lines.count)
        for line in lines where !line.hasPrefix("//") {
            guard let rule = line.split(separator: " ").first else { continue }
            if rule.hasPrefix("!") {
                PublicSuffixes.ascii(rule.dropFirst()).map { _ = exceptions.insert($0) }
            } else if rule.hasPrefix("*.") {
                PublicSuffixes.ascii(rule.dropFirst(2)).map { _ = wildcards.insert($0) }
            } else {
                PublicSuffixes.ascii(rule).map { _ = rules.insert($0) }
            }
        }
    }

    /// The public suffix of the name and one label more; nil when there is no label more.
    public func registrableDomain(of name: DomainName) -> DomainName? {
        // Where each label begins; leads are held against this, so nothing is split or joined.
        let text = name.text
        var starts = [text.startIndex]
        for place in text.utf8.indices where text.utf8[place] == UInt8(ascii: ".") {
            starts.append(text.utf8.index(after: place))
        }
        let suffix = suffixStart(text, starts)
        guard suffix > 0 else { return nil }
        return suffix == 1 ? name : DomainName(String(text[starts[suffix - 1]...]))
    }

    /// The label at which the public suffix begins: of the longest rule that matches, or the last.
    private func suffixStart(_ text: String, _ starts: [String.Index]) -> Int {
        for (place, start) in starts.enumerated() {
            let name = String(text[start...])
            if rules.contains(name) { return place }
            if exceptions.contains(name) { return place + 1 }
            guard place + 1 < starts.count else { break }
            if wildcards.contains(String(text[starts[place + 1]...])) { return place }
        }
        return starts.count - 1
    }

    /// The list has names in their own scripts, already mapped; they are compared in ASCII.
    private static func ascii(_ rule: Substring) -> String? {
        if rule.utf8.allSatisfy({ $0 < 0x80 }) { return String(rule) }
        var labels: [String] = []
        for label in rule.split(separator: ".") {
            guard let text = Punycode.asciiLabel(label) else { return nil }
            labels.append(text)
        }
        return labels.joined(separator: ".")
    }
}

/// Domains of mailboxes that anybody can have.
public enum FreeMail {
    private static let domains = Set(DataFile.lines(of: "free_mail.txt"))
    /// The operator's own, of the whole process.
    private static let own = Locked<Set<String>>([])

    public static func contains(_ registrable: DomainName) -> Bool {
        domains.contains(registrable.text) || own.withLock { $0.contains(registrable.text) }
    }

    /// Takes the operator's own hosts in place of those that were taken before. They count for what
    /// comes from now on.
    public static func take(_ hosts: [DomainName]) {
        let texts = Set(hosts.map(\.text))
        own.withLock { $0 = texts }
    }
}

/// The files of `Data/`, compiled in.
enum DataFile {
    /// The lines that are neither empty nor begin with `#`.
    static func lines(of name: String) -> [String] {
        guard let file = EmbeddedFiles.all.first(where: { $0.name == name }) else { return [] }
        return file.text.split(whereSeparator: \.isNewline).compactMap { line in
            line.isEmpty || line.hasPrefix("#") ? nil : String(line)
        }
    }
}
