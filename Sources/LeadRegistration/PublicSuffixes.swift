import Model

/// Under which names anybody can register a domain (Public Suffix List): finds the part of a name
/// that belongs to one owner, `acme.co.uk` of `shop.acme.co.uk`. The private section counts too, so
/// each shop on a platform is an account of its own.
public struct PublicSuffixes: Sendable {
    /// The list that is compiled in; read at first use.
    public static let standard = PublicSuffixes(lines: DataFile.lines(of: "public_suffix_list.dat"))

    private var rules: Set<String> = []
    private var exceptions: Set<String> = []

    /// Reads rules (`com`, `*.ck`, `!www.ck`), one a line; comments begin with `//`.
    public init(lines: [String]) {
        rules.reserveCapacity(lines.count)
        for line in lines where !line.hasPrefix("//") {
            guard let rule = line.split(separator: " ").first else { continue }
            if rule.hasPrefix("!") {
                PublicSuffixes.ascii(rule.dropFirst()).map { _ = exceptions.insert($0) }
            } else {
                PublicSuffixes.ascii(rule).map { _ = rules.insert($0) }
            }
        }
    }

    /// The public suffix of the name and one label more; nil when there is no label more.
    public func registrableDomain(of name: DomainName) -> DomainName? {
        let labels = name.text.split(separator: ".")
        let count = suffixLabels(labels)
        guard labels.count > count else { return nil }
        return DomainName(labels.suffix(count + 1).joined(separator: "."))
    }

    /// How many labels the public suffix has: of the longest rule that matches, or one.
    private func suffixLabels(_ labels: [Substring]) -> Int {
        for start in labels.indices {
            let suffix = labels[start...].joined(separator: ".")
            if exceptions.contains(suffix) { return labels.count - start - 1 }
            if rules.contains(suffix) { return labels.count - start }
            let parent = labels[(start + 1)...].joined(separator: ".")
            if !parent.isEmpty, rules.contains("*." + parent) { return labels.count - start }
        }
        return 1
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

    public static func contains(_ registrable: DomainName) -> Bool {
        domains.contains(registrable.text)
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
