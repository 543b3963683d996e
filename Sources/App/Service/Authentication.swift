import Crypto
import Database
import HTTP
import Model
import Programs

/// Finds out who makes a request, from its `Authorization` field. One per loop: keys once seen are
/// kept until any key, program or participant changes.
final class Authentication {
    private let database: Database
    private let reader: TurnReader
    private let adminKeyHash: [UInt8]?
    private var generation: UInt64 = 0
    /// By the whole field, so that a known caller costs one look; nil is the operator's own key.
    private var seen: [String: APIKey?] = [:]

    /// Distinct fields kept before the memory is dropped and begun anew.
    private static let seenMax = 10_000
    /// Longest field that is kept: a scheme and a secret. With `seenMax`, two megabytes.
    private static let seenBytesMax = 160

    init(database: Database, reader: TurnReader, adminKey: String?) {
        self.database = database
        self.reader = reader
        adminKeyHash = adminKey.map { KeySecret.hash(of: $0) }
    }

    /// Who sends `request`; `.anonymous` when it has no credentials. Throws 401 for wrong ones.
    func principal(of request: Request, at now: Instant) throws -> Principal {
        guard let field = request.header("authorization") else { return .anonymous }
        guard let key = try key(in: field) else { return .operatorItself }
        if key.revokedAt != nil { throw Refused(.unauthorized("The key has been revoked.")) }
        if let expiry = key.expiresAt, expiry <= now {
            throw Refused(.unauthorized("The key has expired."))
        }
        guard let principal = key.principal else {
            throw Refused(.unauthorized("The key is not complete."))
        }
        return principal
    }

    /// The key that `field` names; nil for the one that the operator's configuration holds.
    private func key(in field: String) throws -> APIKey? {
        let current = database.configurationGeneration
        if current != generation || seen.count >= Authentication.seenMax {
            seen.removeAll(keepingCapacity: true)
            generation = current
        }
        if let key = seen[field] { return key }
        guard let secret = Authentication.secret(in: field) else {
            throw Refused(.unauthorized("Authorization must be Bearer or Basic with a key."))
        }
        let hash = KeySecret.hash(of: secret)
        // One secret can be sent in endless spellings; only what clients send is remembered.
        let isUsual = field.utf8.count <= Authentication.seenBytesMax
        if let key = try APIKeyStore.find(hash: hash, reader.current()) {
            if isUsual { seen[field] = key }
            return key
        }
        guard let adminKeyHash, constantTimeEqual(hash, adminKeyHash) else {
            throw Refused(.unauthorized("The key is not known."))
        }
        if isUsual { seen[field] = .some(nil) }
        return nil
    }

    /// The key in `Bearer KEY`, or the user name of `Basic` (RFC 7617), as `curl -u KEY:` sends it.
    static func secret(in field: String) -> String? {
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[1].utf8.count <= 512 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1])
        case "basic":
            guard let bytes = Base64.decode(String(parts[1])),
                let text = String(validating: bytes, as: UTF8.self)
            else { return nil }
            return text.split(separator: ":", omittingEmptySubsequences: false).first.map(
                String.init)
        default: return nil
        }
    }
}

extension Access {
    /// Refuses who may not call: 404 on a listener that does not serve this, 401 without
    /// credentials, 403 with too small ones.
    func check(_ principal: Principal, isHere: Bool) throws {
        guard isHere else { throw Refused(.notFound()) }
        switch self {
        case .everyone, .operations: return
        case .privateSocket:
            guard principal == .operatorItself else { throw Refused(.notFound()) }
        case .key(let scope):
            if principal.participant != nil {
                throw Refused(.forbidden("A participant's token may not do this."))
            }
            try Access.requireScope(scope, principal)
        case .keyOrParticipant(let scope):
            if principal.participant == nil { try Access.requireScope(scope, principal) }
        }
    }

    private static func requireScope(_ scope: Scope, _ principal: Principal) throws {
        if principal == .anonymous { throw Refused(.unauthorized("A key is needed.")) }
        guard principal.may(scope) else {
            throw Refused(.forbidden("The key lacks the scope \(scope.rawValue)."))
        }
    }
}

extension Configuration {
    /// Whether a listener serves this: health and metrics leave the main listeners when they have
    /// their own, which serves nothing else; the private socket serves everything.
    func serves(_ access: Access, on listener: Int) -> Bool {
        switch access {
        case .privateSocket: isPrivateSocket(listener)
        case .operations:
            operationsListener == nil || isOperations(listener)
                || isPrivateSocket(listener)
        default: !isOperations(listener)
        }
    }
}
