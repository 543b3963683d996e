import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `/v1/events`: the ordered feed of everything that happened.
enum EventRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/events", .keyOrParticipant(.read), .read(feed), feeding)
    }

    /// Oldest first after the cursor. The answer's `next_cursor` is where to go on; it is durable,
    /// and stays the same when nothing new has happened.
    private static func feed(_ call: Call, _ reader: Reader) throws -> Response {
        let after = call.query["after"].flatMap { Int64($0) } ?? 0
        let limit = call.query["limit"].flatMap { Int($0) } ?? 10
        let events = try EventStore.feed(
            after: after, limit: limit + 1, participant: call.participant, type: call.query["type"],
            reader)
        let shown = events.prefix(limit)
        var json = JSONWriter(capacity: 256 + 512 * shown.count)
        json.object { list in
            list.field("object", "list")
            list.array("data") { data in
                for event in shown {
                    data.object { EventWire.write(event, for: call.principal, &$0) }
                }
            }
            list.field("has_more", events.count > limit)
            list.field("next_cursor", String(shown.last?.sequence ?? after))
            list.field("url", call.request.path)
        }
        return .object(json.bytes)
    }

    private static let cursor = Schema.token(
        1...18, pattern: "^[0-9]+$", allowed: "0123456789", words: "digits")

    private static let feeding = Contract(
        operationID: "listEvents",
        summary: "Everything that happened after the cursor, oldest first.",
        query: [
            .optional("after", cursor, "A next_cursor; from the beginning when absent."),
            .optional("limit", .integer(1...100), "How many, 10 unless told."),
            .optional("type", .text(1...60), "Only events of this type."),
        ],
        answer: .object([
            .required("object", .choice(["list"])),
            .required("data", .list(EventWire.schema, count: 0...100)),
            .required("has_more", .boolean), .required("next_cursor", cursor),
            .required("url", .text(1...200)),
        ]))
}

/// How an event looks on the wire, in the feed and in timelines.
enum EventWire {
    static let schema = Schema.named(
        "Event",
        .object([
            .required("id", .id(EventID.self)), .required("object", .choice(["event"])),
            .required("sequence", .integer(1...Int64.max)), .required("type", .text(1...60)),
            .required("subject_id", .text(1...64)),
            .required("program_id", .nullable(.id(ProgramID.self))),
            .required("participant_id", .nullable(.id(ParticipantID.self))),
            .required("actor", .text(1...64)), .required("from", .nullable(.text(1...40))),
            .required("to", .nullable(.text(1...40))),
            .required("reason", .nullable(.prose(0...2000))), .required("data", .anything),
            .required("created_at", .time),
        ]))

    static func write(_ event: Event, for caller: Principal, _ json: inout JSONObjectWriter) {
        json.field("id", event.id.description)
        json.field("object", "event")
        json.field("sequence", event.sequence)
        json.field("type", event.type)
        json.field("subject_id", event.object.description)
        json.field("program_id", event.program)
        // In the timeline of a lead that its reader works and another referred.
        let isOthers = caller.participant != nil && event.participant != caller.participant
        json.field("participant_id", isOthers ? nil : event.participant)
        let isOthersDeed = isOthers && ParticipantID(event.actor) != nil
        json.field("actor", isOthersDeed ? "partner" : event.actor)
        json.field("from", event.from)
        json.field("to", event.to)
        json.field("reason", event.reason)
        json.raw(
            "data",
            caller.participant == nil
                ? Array(event.data.utf8)
                : isOthers ? sharedData(event) : ownData(event, for: caller))
        json.field("created_at", event.occurredAt.rfc3339)
    }

    /// Nothing of how it came, which may tell who referred it.
    private static func sharedData(_ event: Event) -> [UInt8] {
        let data = (try? JSONValue.parse(Array(event.data.utf8)))?.objectValue ?? [:]
        var shared = JSONObject()
        for name in ["version", "reason_code", "follow_up_at", "value", "broken_rules"] {
            shared[name] = data[name]
        }
        return JSONValue.object(shared).encoded()
    }

    /// Without the members that may name another participant's lead, and with the basis of what was
    /// withheld as its reader may see it.
    private static func ownData(_ event: Event, for caller: Principal) -> [UInt8] {
        let data = Array(event.data.utf8)
        guard var object = (try? JSONValue.parse(data))?.objectValue,
            object["duplicate_of"] != nil || object["open_lead_id"] != nil
                || object["basis"] != nil
        else { return data }
        object["duplicate_of"] = nil
        object["open_lead_id"] = nil
        object["basis"] = object["basis"].map { RewardBasisWire.json($0, for: caller) }
        return JSONValue.object(object).encoded()
    }
}
