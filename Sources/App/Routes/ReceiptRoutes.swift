import Crypto
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Programs

/// Receipts of registrations, the head of their chain, and the keys to check them with.
enum ReceiptRoutes {
    static func add(to routes: inout RouteTable) {
        let base = "/v1/registrations"
        routes.add(.get, base + "/{id}/receipt", .keyOrParticipant(.read), .read(get), reading)
        routes.add(.get, base + "/head", .keyOrParticipant(.read), .read(head), heading)
        routes.add(
            .get, base + "/verification_key", .everyone, .serviceRead(verificationKey), keying)
    }

    // MARK: - Handlers

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let registration = try RegistrationRoutes.find(call.id(), call, reader)
        guard let receipt = try ReceiptStore.find(registration.id, reader) else {
            throw Refused(.notFound())
        }
        let whole = Receipt(
            body: receipt.body, signature: receipt.signature, account: registration.fingerprinted)
        return .object(whole.json.encoded())
    }

    private static func head(_ call: Call, _ reader: Reader) throws -> Response {
        let head = try ReceiptStore.head(reader)
        var json = JSONWriter()
        json.object { object in
            object.field("object", "receipt_head")
            object.field("sequence", head.sequence)
            object.field("hash", Hex.encode(head.hash))
        }
        return .object(json.bytes)
    }

    private static func verificationKey(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let current = app.signingKey.publicKey
        let earlier = try ReceiptStore.publicKeys(reader).filter { $0 != current }
        var json = JSONWriter()
        json.object { object in
            object.field("object", "verification_key")
            object.field("algorithm", "Ed25519")
            object.field("key_id", Hex.encode(ReceiptBody.keyID(of: current)))
            object.field("public_key", Hex.encode(current))
            object.array("earlier") { list in
                for key in earlier {
                    list.object { item in
                        item.field("key_id", Hex.encode(ReceiptBody.keyID(of: key)))
                        item.field("public_key", Hex.encode(key))
                    }
                }
            }
        }
        return .object(json.bytes)
    }

    // MARK: - Contracts

    private static func hex(_ bytes: Int) -> Schema {
        .string(
            TextRule(bytes * 2...bytes * 2, pattern: "^[0-9a-f]+$") { text in
                Hex.decode(text).map { Hex.encode($0) == text } ?? false
            })
    }

    private static let reading = Contract(
        operationID: "getReceipt",
        summary: "The signed receipt of an accepted claim. Keep the answer as it is: every byte "
            + "counts when it is checked.",
        answer: .named(
            "Receipt",
            .object([
                .required("object", .choice(["receipt"])),
                .required(
                    "body",
                    .object([
                        .required("sequence", .integer(1...Int64.max)),
                        .required("issued_at", .time),
                        .required("registration_id", .id(RegistrationID.self)),
                        .required("participant_id", .id(ParticipantID.self)),
                        .required("program_id", .id(ProgramID.self)),
                        .required("program_version", .integer(1...Int64.max)),
                        .required("account_fingerprint", hex(32), "HMAC-SHA-256."),
                        .required("window_ends_at", .time),
                        .required("protected_until_latest", .time),
                        .required("previous_hash", hex(32)), .required("key_id", hex(8)),
                    ])),
                .required("signature", hex(64), "Ed25519."),
                .required(
                    "account",
                    .nullable(
                        .object([
                            .required("key", hex(32)), .required("normalized", .prose(0...2000)),
                        ])), "What was fingerprinted; null once erased."),
            ])))

    private static let heading = Contract(
        operationID: "getReceiptHead",
        summary: "Number and hash of the newest receipt. Publish it: a rewritten past contradicts "
            + "it.",
        answer: .object([
            .required("object", .choice(["receipt_head"])),
            .required("sequence", .integer(0...Int64.max)), .required("hash", hex(32)),
        ]))

    private static let keying = Contract(
        operationID: "getVerificationKey",
        summary: "The public key that receipts are signed with, and those of earlier ones.",
        answer: .object([
            .required("object", .choice(["verification_key"])),
            .required("algorithm", .choice(["Ed25519"])), .required("key_id", hex(8)),
            .required("public_key", hex(32)),
            .required(
                "earlier",
                .list(
                    .object([.required("key_id", hex(8)), .required("public_key", hex(32))]),
                    count: 0...1000)),
        ]))
}
