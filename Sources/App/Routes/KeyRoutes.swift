import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import Records

/// `/v1/api_keys`: secret keys of the operator's systems.
enum KeyRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.post, "/v1/api_keys", .key(.admin), .write(create), creation)
        routes.amend { $0.secretMember = "secret" }
        routes.add(.get, "/v1/api_keys", .key(.admin), .read(list), listing)
        routes.add(.get, "/v1/api_keys/{id}", .key(.admin), .read(get), reading)
        routes.add(.post, "/v1/api_keys/{id}/revoke", .key(.admin), .write(revoke), revocation)
    }

    private static func create(_ call: Call) throws -> WriteStep {
        let name = try call.body.requiredText("name")
        let scopes = Set(call.body.texts("scopes")?.compactMap { Scope(rawValue: $0) } ?? [])
        let days = call.body.integer("expires_in_days")
        let secret = KeySecret(kind: .secret, randomBytes: RandomPool.bytes(32))
        return { tx in
            let key = try make(
                name: name, scopes: scopes, days: days, secret: secret,
                actor: call.principal.actor, tx)
            return .created(
                APIKeyWire.json(key, secret: secret.text), at: "/v1/api_keys/\(key.id)")
        }
    }

    /// Makes a secret key; also for the command line.
    static func make(
        name: String, scopes: Set<Scope>, days: Int64?, secret: KeySecret, actor: String,
        _ tx: Transaction
    ) throws -> APIKey {
        let key = APIKey(
            id: tx.makeID(), kind: .secret, name: name, scopes: scopes, participant: nil,
            program: nil, hint: secret.hint, createdAt: tx.now,
            expiresAt: days.map { tx.now.advanced(byDays: Int($0)) }, revokedAt: nil)
        try APIKeyStore.insert(key, hash: secret.hash, by: actor, tx)
        try EventStore.append(NewEvent("api_key.created", key.id, actor: actor), tx)
        return key
    }

    private static func revoke(_ call: Call) throws -> WriteStep {
        let id: APIKeyID = try call.id()
        return { tx in try revoke(id, call, tx) }
    }

    static func revoke(_ id: APIKeyID, _ call: Call, _ tx: Transaction) throws -> Response {
        guard let key = try revoke(id, actor: call.principal.actor, tx) else {
            throw Refused(.notFound())
        }
        return .object(APIKeyWire.json(key))
    }

    /// Revokes a key once; nil when there is none. Also for the command line.
    static func revoke(_ id: APIKeyID, actor: String, _ tx: Transaction) throws -> APIKey? {
        guard let old = try APIKeyStore.find(id, tx) else { return nil }
        if old.revokedAt != nil { return old }
        try APIKeyStore.revoke(id, tx)
        try EventStore.append(
            NewEvent(
                "api_key.revoked", id, program: old.program, participant: old.participant,
                actor: actor), tx)
        return try APIKeyStore.find(id, tx)
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        guard let key = try APIKeyStore.find(call.id(), reader) else { throw Refused(.notFound()) }
        return .object(APIKeyWire.json(key))
    }

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let window = try ListRequest(call) { try APIKeyStore.sequence(of: $0, reader) }
        let page = try APIKeyStore.page(window.page, reader)
        return .list(page, call, id: { $0.id.description }) { key, data in
            data.object { APIKeyWire.write(key, &$0) }
        }
    }

    private static let creation = Contract(
        operationID: "createKey", summary: "A secret key; its secret is shown once.",
        body: .object([
            .required("name", .text(1...100)),
            .required("scopes", .list(.choice(Scope.allCases.map(\.rawValue)), count: 1...4)),
            .optional("expires_in_days", .nullable(.integer(1...3650)), "Never unless told."),
        ]), success: 201, answer: APIKeyWire.schema)

    private static let reading = Contract(
        operationID: "getKey", summary: "One key, without its secret.", answer: APIKeyWire.schema)

    private static let listing = Contract(
        operationID: "listKeys", summary: "Keys and tokens, newest first.",
        query: ListRequest.fields(of: APIKeyID.self), answer: .page(of: APIKeyWire.schema))

    private static let revocation = Contract(
        operationID: "revokeKey", summary: "Revoke a key at once.", body: .emptyBody,
        answer: APIKeyWire.schema)
}

/// How a key looks on the wire.
enum APIKeyWire {
    static let schema = Schema.named(
        "APIKey",
        .object([
            .required("id", .id(APIKeyID.self)), .required("object", .choice(["api_key"])),
            .required("kind", .choice(["secret", "participant"])),
            .required("name", .text(1...100)),
            .required("scopes", .list(.choice(Scope.allCases.map(\.rawValue)), count: 0...4)),
            .required("participant_id", .nullable(.id(ParticipantID.self))),
            .required("hint", .text(1...20), "The secret's first characters."),
            .optional("secret", .nullable(.text(1...100)), "Shown once, at creation."),
            .required("created_at", .time), .required("expires_at", .nullable(.time)),
            .required("revoked_at", .nullable(.time)),
        ]))

    static func json(_ key: APIKey, secret: String? = nil) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            write(key, &object)
            if let secret { object.field("secret", secret) }
        }
        return json.bytes
    }

    static func write(_ key: APIKey, _ json: inout JSONObjectWriter) {
        json.field("id", key.id.description)
        json.field("object", "api_key")
        json.field("kind", key.kind.rawValue)
        json.field("name", key.name)
        json.field(
            "scopes", JSONValue.array(key.scopes.map(\.rawValue).sorted().map { .string($0) }))
        json.field("participant_id", key.participant)
        json.field("hint", key.hint)
        json.field("created_at", key.createdAt.rfc3339)
        json.field("expires_at", key.expiresAt)
        json.field("revoked_at", key.revokedAt)
    }
}
