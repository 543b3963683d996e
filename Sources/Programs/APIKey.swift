import Crypto
import Database
import Model

/// A key of the API: a secret key of the operator's systems (`rk_…`) or a participant's token
/// (`pt_…`). The secret itself is shown once and stored as SHA-256.
public struct APIKey: Sendable {
    public enum Kind: String, Sendable { case secret, participant }

    public let id: APIKeyID
    public let kind: Kind
    public let name: String
    public let scopes: Set<Scope>
    public let participant: ParticipantID?
    public let program: ProgramID?
    /// The first characters of the secret, to tell keys apart.
    public let hint: String
    public let createdAt: Instant
    public let expiresAt: Instant?
    public let revokedAt: Instant?

    public init(
        id: APIKeyID, kind: Kind, name: String, scopes: Set<Scope>, participant: ParticipantID?,
        program: ProgramID?, hint: String, createdAt: Instant, expiresAt: Instant?,
        revokedAt: Instant?
    ) {
        self.id = id
        self.kind = kind
        self.name = name
        self.scopes = scopes
        self.participant = participant
        self.program = program
        self.hint = hint
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    /// Who a request with this key is.
    public var principal: Principal? {
        switch kind {
        case .secret: return .key(id, scopes: scopes)
        case .participant:
            guard let participant, let program else { return nil }
            return .participant(participant, program: program, key: id)
        }
    }
}

/// A secret as it is shown once: 256 random bits behind the prefix of its kind.
public struct KeySecret: Sendable {
    public let text: String

    /// A new secret from `randomBytes` (32 of them).
    public init(kind: APIKey.Kind, randomBytes: [UInt8]) {
        text = (kind == .secret ? "rk_" : "pt_") + Base64URL.encode(randomBytes)
    }

    /// The first characters, which tell keys apart without opening anything.
    public var hint: String { String(text.prefix(8)) + "…" }

    public var hash: [UInt8] { KeySecret.hash(of: text) }

    /// What is stored and looked up. A plain hash is enough: the secret has 256 random bits.
    public static func hash(of text: String) -> [UInt8] { SHA256.hash(Array(text.utf8)) }
}
