import HTTP
import LeadRegistration
import Model

/// A setting has a wrong value. Says which and why; the program exits with 78 (EX_CONFIG).
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
}

/// One setting: a flag, the environment variable of the same name, its default and its meaning.
struct Setting: Sendable {
    let flag: String
    let variable: String
    let fallback: String
    let help: String
    /// Never printed.
    var isSecret = false

    static let all: [Setting] = [
        Setting(
            flag: "--listen", variable: "REFERRALD_LISTEN", fallback: "127.0.0.1:8080",
            help: "Addresses to serve, separated by commas: 127.0.0.1:8080, [::1]:8080, unix:/path."
        ),
        Setting(
            flag: "--database", variable: "REFERRALD_DATABASE", fallback: "referrald.db",
            help: "The SQLite file. Its lock and private socket lie beside it."),
        Setting(
            flag: "--public-url", variable: "REFERRALD_PUBLIC_URL", fallback: "",
            help: "How clients reach this service, such as https://go.example.com."),
        Setting(
            flag: "--ops-listen", variable: "REFERRALD_OPS_LISTEN", fallback: "",
            help: "A separate address for /metrics and health; then they leave the main one."),
        Setting(
            flag: "--trusted-proxies", variable: "REFERRALD_TRUSTED_PROXIES",
            fallback: "127.0.0.0/8,::1/128",
            help: "Networks whose X-Forwarded-For is believed, separated by commas; or none."),
        Setting(
            flag: "--threads", variable: "REFERRALD_THREADS", fallback: "0",
            help: "Event loops; 0 makes one per core."),
        Setting(
            flag: "--access-log", variable: "REFERRALD_ACCESS_LOG", fallback: "errors",
            help: "Which requests are logged: none, errors (5xx, malformed, over 1 s), all."),
        Setting(
            flag: "--form-posts", variable: "REFERRALD_FORM_POSTS", fallback: "20",
            help: "Referral form posts per address in ten minutes; 0 sets no limit."),
        Setting(
            flag: "--connections-per-address", variable: "REFERRALD_CONNECTIONS_PER_ADDRESS",
            fallback: "256",
            help: "Open connections of one address; trusted proxies are exempt; 0 sets no limit."),
        Setting(
            flag: "--free-mail-file", variable: "REFERRALD_FREE_MAIL_FILE", fallback: "",
            help: "A file with further hosts of free mail, one a line: an address there says "
                + "nothing of a company."),
        Setting(
            flag: "--log-level", variable: "REFERRALD_LOG_LEVEL", fallback: "info",
            help: "debug also logs what only a developer asks for; or info."),
        Setting(
            flag: "--honor-dnt", variable: "REFERRALD_HONOR_DNT", fallback: "false",
            help: "Treat DNT: 1 as Sec-GPC: 1: the click is counted without a visitor hash."),
        Setting(
            flag: "--admin-key-file", variable: "REFERRALD_ADMIN_KEY_FILE", fallback: "",
            help:
                "A file with a key that is accepted as an admin key. REFERRALD_ADMIN_KEY holds "
                + "it itself."
        ),
        Setting(
            flag: "--signing-key-file", variable: "REFERRALD_SIGNING_KEY_FILE", fallback: "",
            help: "The key that signs receipts, made at the first start; default: the database's "
                + "path and .signing-key."),
    ]
}

/// The settings of one run, checked.
struct Configuration: Sendable {
    let listeners: [ListenAddress]
    let operationsListener: ListenAddress?
    let databasePath: String
    /// Without a trailing slash; nil: made from the first listener.
    let publicURL: String?
    let trustedProxies: [AddressRange]
    let threads: Int
    let accessLog: Log.Access
    let formPostsPerTenMinutes: Int
    let connectionsPerAddressMax: Int
    let freeMailHosts: [DomainName]
    let isDebugLogged: Bool
    let honorsDoNotTrack: Bool
    let adminKey: String?
    let signingKeyPath: String
    /// Why links may lead nowhere, for `/readyz`; nil when they do not.
    let publicURLWarning: String?
    /// Settings and their effective values, secrets left out.
    let effective: [(name: String, value: String)]
    let warnings: [String]
    /// Set by `serve --init`: makes a database even where the remains of another one lie.
    var makesBesideRemains = false
    private let flags: [String: String]
    private let environment: [String: String]

    /// The Unix-domain socket through which commands reach a running daemon.
    var socketPath: String { databasePath + ".sock" }

    /// Everything the server listens on: the public addresses, the private socket, the operations
    /// address.
    var allListeners: [ListenAddress] {
        listeners + [.unix(path: socketPath, mode: 0o600)] + (operationsListener.map { [$0] } ?? [])
    }

    func isPrivateSocket(_ listener: Int) -> Bool { listener == listeners.count }
    func isOperations(_ listener: Int) -> Bool { listener == listeners.count + 1 }

    /// Those by which the operator looks after the service.
    var operatorListeners: Set<Int> { [listeners.count, listeners.count + 1] }

    /// The same settings for another database.
    func replacing(databasePath: String) throws -> Configuration {
        var flags = flags
        flags["--database"] = databasePath
        return try Configuration(flags: flags, environment: environment)
    }

    /// Reads flags over environment over defaults. Throws for a value that cannot be used.
    init(flags: [String: String], environment: [String: String]) throws {
        self.flags = flags
        self.environment = environment
        var effective: [(name: String, value: String)] = []
        func value(_ flag: String) -> String {
            guard let setting = Setting.all.first(where: { $0.flag == flag }) else { return "" }
            let value = flags[flag] ?? environment[setting.variable] ?? setting.fallback
            effective.append((setting.variable, value))
            return value
        }
        listeners = try Configuration.addresses(value("--listen"), "REFERRALD_LISTEN")
        databasePath = value("--database")
        if databasePath.isEmpty || databasePath.hasPrefix(":") {
            throw ConfigurationError(description: "REFERRALD_DATABASE must be a file's path.")
        }
        publicURL = try Configuration.publicURL(value("--public-url"))
        let operations = value("--ops-listen")
        operationsListener =
            operations.isEmpty
            ? nil : try Configuration.addresses(operations, "REFERRALD_OPS_LISTEN").first
        trustedProxies = try Configuration.ranges(value("--trusted-proxies"))
        threads = try Configuration.number(value("--threads"), 0...256, "REFERRALD_THREADS")
        guard let access = Log.Access(rawValue: value("--access-log")) else {
            throw ConfigurationError(
                description: "REFERRALD_ACCESS_LOG must be none, errors or all.")
        }
        accessLog = access
        formPostsPerTenMinutes = try Configuration.number(
            value("--form-posts"), 0...1_000_000, "REFERRALD_FORM_POSTS")
        connectionsPerAddressMax = try Configuration.number(
            value("--connections-per-address"), 0...1_000_000,
            "REFERRALD_CONNECTIONS_PER_ADDRESS")
        freeMailHosts = try Configuration.hosts(value("--free-mail-file"))
        let level = value("--log-level")
        guard level == "info" || level == "debug" else {
            throw ConfigurationError(description: "REFERRALD_LOG_LEVEL must be info or debug.")
        }
        isDebugLogged = level == "debug"
        honorsDoNotTrack = try Configuration.flag(value("--honor-dnt"), "REFERRALD_HONOR_DNT")
        adminKey = try Configuration.adminKey(
            environment["REFERRALD_ADMIN_KEY"], file: value("--admin-key-file"))
        let signingKey = value("--signing-key-file")
        signingKeyPath = signingKey.isEmpty ? databasePath + ".signing-key" : signingKey
        // What will be used, also where nothing was said.
        let used = [
            "REFERRALD_SIGNING_KEY_FILE": signingKeyPath,
            "REFERRALD_PUBLIC_URL": publicURL ?? Configuration.publicURL(of: listeners.first),
        ]
        self.effective = effective.map { name, text in (name, used[name] ?? text) }
        let unreachable = Configuration.unreachable(publicURL, listeners)
        publicURLWarning = unreachable
        warnings = UnknownVariables.warnings(environment) + [unreachable].compactMap { $0 }
    }

    /// What links begin with when no public URL is set, as far as it is known before the start.
    private static func publicURL(of listener: ListenAddress?) -> String {
        switch listener {
        case .tcp(let host, let port):
            "http://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        default: "http://localhost"
        }
    }

    /// Nobody can follow a link to the address that means "all of this machine's".
    private static func unreachable(_ url: String?, _ listeners: [ListenAddress]) -> String? {
        guard url == nil, case .tcp(let host, _) = listeners.first else { return nil }
        guard host == "0.0.0.0" || host.allSatisfy({ $0 == ":" || $0 == "0" }) else { return nil }
        return "REFERRALD_PUBLIC_URL is not set, so links begin with "
            + "\(publicURL(of: listeners.first)), which nobody else can follow"
    }

    private static func hosts(_ path: String) throws -> [DomainName] {
        if path.isEmpty { return [] }
        guard let text = SmallFile.read(path) else {
            throw ConfigurationError(
                description: "REFERRALD_FREE_MAIL_FILE: the file cannot be read.")
        }
        return try text.split(whereSeparator: \.isNewline).enumerated().compactMap { place, line in
            let host = line.trimmed
            if host.isEmpty || host.hasPrefix("#") { return nil }
            guard let domain = DomainName(typed: host) else {
                throw ConfigurationError(
                    description: "REFERRALD_FREE_MAIL_FILE: line \(place + 1) is no host.")
            }
            return domain
        }
    }

    private static func addresses(_ text: String, _ name: String) throws -> [ListenAddress] {
        let addresses = text.split(separator: ",").map { part in
            (part, ListenAddress(part.trimmed))
        }
        if let bad = addresses.first(where: { $0.1 == nil }) {
            throw ConfigurationError(
                description:
                    "\(name): \(bad.0) is no address; write 127.0.0.1:8080, [::1]:8080 or "
                    + "unix:/path."
            )
        }
        guard !addresses.isEmpty else {
            throw ConfigurationError(description: "\(name) names no address.")
        }
        return addresses.compactMap(\.1)
    }

    private static func publicURL(_ text: String) throws -> String? {
        if text.isEmpty { return nil }
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let url = WebURL(trimmed), url.origin == trimmed else {
            throw ConfigurationError(
                description:
                    "REFERRALD_PUBLIC_URL must be http(s)://host without path, such as "
                    + "https://go.example.com."
            )
        }
        return trimmed
    }

    private static func ranges(_ text: String) throws -> [AddressRange] {
        if text == "none" || text.isEmpty { return [] }
        return try text.split(separator: ",").map { part in
            guard let range = AddressRange(part.trimmed) else {
                throw ConfigurationError(
                    description:
                        "REFERRALD_TRUSTED_PROXIES: \(part) is no network such as 10.0.0.0/8.")
            }
            return range
        }
    }

    private static func number(
        _ text: String, _ range: ClosedRange<Int>, _ name: String
    ) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationError(
                description:
                    "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    private static func flag(_ text: String, _ name: String) throws -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw ConfigurationError(description: "\(name) must be true or false.")
        }
    }

    private static func adminKey(_ key: String?, file: String) throws -> String? {
        var text = key ?? ""
        if !file.isEmpty {
            guard let content = SmallFile.read(file) else {
                throw ConfigurationError(
                    description: "REFERRALD_ADMIN_KEY_FILE: the file cannot be read.")
            }
            text = content.trimmed
        }
        if text.isEmpty { return nil }
        guard text.utf8.count >= 24, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ConfigurationError(
                description: "REFERRALD_ADMIN_KEY must have at least 24 visible ASCII characters.")
        }
        return text
    }
}

extension String {
    var trimmed: String { self[...].trimmed }
}

extension Substring {
    /// Without spaces, tabs and line ends at both ends.
    var trimmed: String {
        func isText(_ byte: UInt8) -> Bool { byte != 0x20 && !(0x09...0x0d).contains(byte) }
        guard let first = utf8.firstIndex(where: isText), let last = utf8.lastIndex(where: isText)
        else { return "" }
        return String(self[first...last])
    }
}
