import Database
import HTTP
import JSON
import Model
import Programs

/// `/v1/me`: who the caller is, to the service.
enum MeRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/me", .keyOrParticipant(.read), .read(get), reading)
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let key = try call.principal.key.flatMap { try APIKeyStore.find($0, reader) }
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("object", "me")
            object.field("kind", kind(call.principal))
            object.field("key_id", call.participant == nil ? key?.id : nil)
            object.field("name", key?.name)
            object.field(
                "scopes",
                JSONValue.array(
                    Scope.allCases.filter { call.principal.may($0) }.map { .string($0.rawValue) }))
            object.field("participant_id", call.participant)
            object.field("program_id", call.principal.program)
            object.field("expires_at", key?.expiresAt)
        }
        return .object(json.bytes)
    }

    private static func kind(_ principal: Principal) -> String {
        switch principal {
        case .participant: "participant_token"
        case .operatorItself: "operator"
        case .key, .anonymous: "secret_key"
        }
    }

    private static let reading = Contract(
        operationID: "getMe",
        summary:
            "Who the caller is: a secret key, a participant's token, or the operator's own key.",
        answer: .named(
            "Me",
            .object([
                .required("object", .choice(["me"])),
                .required(
                    "kind", .choice(["secret_key", "participant_token", "operator"]),
                    "operator: the key of the configuration, or the private socket."),
                .required(
                    "key_id", .nullable(.id(APIKeyID.self)), "Null for a participant's token."),
                .required("name", .nullable(.text(1...100)), "The key's."),
                .required(
                    "scopes", .list(.choice(Scope.allCases.map(\.rawValue)), count: 0...4),
                    "What the key may do; empty for a token, which sees its participant's own."),
                .required(
                    "participant_id", .nullable(.id(ParticipantID.self)), "Whose token it is."),
                .required("program_id", .nullable(.id(ProgramID.self))),
                .required("expires_at", .nullable(.time)),
            ])))
}
