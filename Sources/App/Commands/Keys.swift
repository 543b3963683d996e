import Database
import JSON
import Model
import Platform
import Programs

/// `referrald keys create|list|revoke`: through the running daemon, or on the database itself.
enum Keys {
    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let daemon = DaemonClient(path: configuration.socketPath)
        switch arguments.operands.first {
        case "create":
            let (name, scopes) = try wanted(arguments)
            return try daemon.isAnswered
                ? create(name, scopes, daemon)
                : create(name, scopes, configuration, mayMake: arguments.options["--init"] != nil)
        case "list":
            return try daemon.isAnswered ? list(daemon) : list(configuration)
        case "revoke":
            guard let id = arguments.options["--id"].flatMap({ APIKeyID($0) }) else {
                throw UsageError(description: "revoke needs --id key_….")
            }
            return try daemon.isAnswered ? revoke(id, daemon) : revoke(id, configuration)
        default:
            throw UsageError(description: "say create, list or revoke.")
        }
    }

    private static func wanted(_ arguments: Arguments) throws -> (String, Set<Scope>) {
        guard let name = arguments.options["--name"], (1...100).contains(name.unicodeScalars.count)
        else { throw UsageError(description: "create needs --name, of at most 100 characters.") }
        let words = (arguments.options["--scope"] ?? "read").split(separator: ",")
        let scopes = words.compactMap { Scope(rawValue: String($0)) }
        guard !words.isEmpty, scopes.count == words.count else {
            throw UsageError(description: "--scope takes read, write, payouts or admin.")
        }
        return (name, Set(scopes))
    }

    // MARK: - Through the daemon

    private static func create(
        _ name: String, _ scopes: Set<Scope>, _ daemon: DaemonClient
    ) throws -> Int32 {
        let answer = try daemon.post(
            "/v1/api_keys",
            [
                "name": .string(name),
                "scopes": .array(scopes.map(\.rawValue).sorted().map { .string($0) }),
            ])
        guard let secret = answer.json["secret"]?.stringValue else { return failed(answer) }
        Terminal.print(secret)
        return 0
    }

    private static func list(_ daemon: DaemonClient) throws -> Int32 {
        var cursor = ""
        while true {
            let answer = try daemon.get("/v1/api_keys?limit=100" + cursor)
            guard let keys = answer.json["data"]?.arrayValue else { return failed(answer) }
            for key in keys.compactMap(\.objectValue) {
                let scopes = key["scopes"]?.arrayValue?.compactMap(\.stringValue) ?? []
                line(
                    id: key["id"]?.stringValue ?? "", hint: key["hint"]?.stringValue ?? "",
                    scopes: scopes.joined(separator: ","), name: key["name"]?.stringValue ?? "",
                    isRevoked: key["revoked_at"]?.stringValue != nil)
            }
            guard answer.json["has_more"]?.boolValue == true,
                let last = keys.last?.objectValue?["id"]?.stringValue
            else { return 0 }
            cursor = "&starting_after=" + last
        }
    }

    private static func revoke(_ id: APIKeyID, _ daemon: DaemonClient) throws -> Int32 {
        let answer = try daemon.post("/v1/api_keys/\(id)/revoke", [:])
        guard answer.status == 200 else { return failed(answer) }
        Terminal.print("revoked \(id)")
        return 0
    }

    private static func failed(_ answer: DaemonClient.Answer) -> Int32 {
        Terminal.error(answer.json["detail"]?.stringValue ?? "the daemon answered \(answer.status)")
        return 1
    }

    // MARK: - On the database itself

    private static func create(
        _ name: String, _ scopes: Set<Scope>, _ configuration: Configuration, mayMake: Bool
    ) throws -> Int32 {
        let secret = KeySecret(kind: .secret, randomBytes: RandomPool.bytes(32))
        let making: DatabaseSettings.Making = mayMake ? .whereNothingLies : .no
        let isNew = try Maintenance.withDatabase(configuration, making) { database in
            _ = try database.perform { tx in
                try KeyRoutes.make(
                    name: name, scopes: scopes, days: nil, secret: secret, actor: "operator", tx)
            }
            return database.isNew
        }
        Terminal.print(secret.text)
        Terminal.error(
            (isNew ? "made in the new database " : "made in ") + configuration.databasePath)
        return 0
    }

    private static func list(_ configuration: Configuration) throws -> Int32 {
        try Maintenance.withDatabase(configuration) { database in
            let reader = try database.makeReader()
            var window = PageRequest.Window.older(than: nil)
            while true {
                let page = try APIKeyStore.page(PageRequest(limit: 100, window: window), reader)
                for key in page.items {
                    line(
                        id: key.id.description, hint: key.hint,
                        scopes: key.scopes.map(\.rawValue).sorted().joined(separator: ","),
                        name: key.name, isRevoked: key.revokedAt != nil)
                }
                guard page.hasMore, let last = page.items.last,
                    let place = try APIKeyStore.sequence(of: last.id, reader)
                else { return }
                window = .older(than: place)
            }
        }
        return 0
    }

    private static func revoke(_ id: APIKeyID, _ configuration: Configuration) throws -> Int32 {
        let isKnown = try Maintenance.withDatabase(configuration) { database in
            try database.perform { tx in try KeyRoutes.revoke(id, actor: "operator", tx) != nil }
        }
        Terminal.print(isKnown ? "revoked \(id)" : "there is no key \(id)")
        return isKnown ? 0 : 1
    }

    private static func line(
        id: String, hint: String, scopes: String, name: String, isRevoked: Bool
    ) {
        Terminal.print(
            [
                id, hint, scopes.isEmpty ? "-" : scopes, isRevoked ? "revoked" : "valid", name,
            ].joined(separator: "  ")
        )
    }
}
