/// What is known of a hit before it is recorded.
public struct ClickFacts: Sendable {
    /// The `User-Agent` field, empty when absent.
    public let userAgent: String
    /// The host of `Referer`, in lower case.
    public let referrerHost: String?
    /// A header says that nobody has clicked yet.
    public let isPrefetch: Bool
    /// What the browser wants it for (`Sec-Fetch-Dest`), where that is no page of its own.
    public let embeddedAs: String?

    public init(
        userAgent: String, referrerHost: String?, isPrefetch: Bool, embeddedAs: String? = nil
    ) {
        self.userAgent = userAgent
        self.referrerHost = referrerHost
        self.isPrefetch = isPrefetch
        self.embeddedAs = embeddedAs
    }
}

/// Decisions about hits: pure, without clock or storage. Repetition is the recorder's matter, which
/// alone knows what came before.
public enum ClickRules {
    /// Raised by every change of the rules or of `Data/bots.txt`; stored with each click.
    public static let version: Int64 = 2

    /// The same visitor on the same link within this many seconds is a duplicate.
    public static let repeatSeconds: Int64 = 3600

    public static let duplicate = ClickVerdict(.duplicate, "same_visitor_within_hour")

    public static func classify(
        _ facts: ClickFacts, by patterns: AgentPatterns = .standard
    ) -> ClickVerdict {
        if facts.isPrefetch { return ClickVerdict(.prefetch, "prefetch_header") }
        if let destination = facts.embeddedAs {
            return ClickVerdict(.embedded, "fetch_destination:" + destination)
        }
        if facts.userAgent.utf8.allSatisfy({ $0 == 0x20 }) {
            return ClickVerdict(.bot, "empty_user_agent")
        }
        if let match = patterns.match(agent: facts.userAgent) {
            return ClickVerdict(match.kind, "known_agent:" + match.pattern)
        }
        if let host = facts.referrerHost, let scanner = patterns.scanner(referrerHost: host) {
            return ClickVerdict(.bot, "scanner_referrer:" + scanner)
        }
        return ClickVerdict(.human)
    }

    /// What `Sec-Fetch-Dest` says that a hit is for, where that is no page of its own: `image`,
    /// `iframe`, `empty` and so on (Fetch Metadata, section 2.1). Nil for a page, and for browsers
    /// that do not say.
    public static func embedding(fetchDestination field: String?) -> String? {
        guard let field else { return nil }
        let word = field.lowercased().filter { $0 != " " && $0 != "\t" }
        guard !word.isEmpty, word != "document" else { return nil }
        let isWord = word.utf8.count <= 20 && word.utf8.allSatisfy { (0x61...0x7A).contains($0) }
        return isWord ? word : "other"
    }

    /// The host of a `Referer` value, in lower case; nil when there is none to be had.
    public static func referrerHost(_ field: String) -> String? {
        guard let schemeEnd = field.utf8.firstIndex(of: UInt8(ascii: ":")),
            field.utf8[schemeEnd...].starts(with: "://".utf8)
        else { return nil }
        let host = field.utf8[schemeEnd...].dropFirst(3).prefix { !"/?#:@".utf8.contains($0) }
        let isName = host.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D
                || $0 == 0x2E
        }
        guard (1...253).contains(host.count), isName else { return nil }
        return String(Substring(host)).lowercased()
    }
}
