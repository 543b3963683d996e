import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `/v1/events`: the ordered feed of everything that happened.
enum EventRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/events", .keyOrParticipant(.read), .pageRead(feed), feeding)
    }

    /// Oldest first after the cursor. The answer's `next_cursor` is where to go on; it is durable,
    /// and stays the same when nothing new has happened.
    private static func feed(_ call: Call, _ reader: Reader) throws -> Response {
        let head = try EventFeed.head(of: call.participant, reader)
        let after = try call.query["after"].flatMap { EventCursor($0) }
            .map { try EventFeed.place(of: $0, head: head, reader) }
        let slice = try EventStore.feed(
            after: after ?? 0, limit: call.query["limit"].flatMap { Int($0) } ?? 10,
            participant: call.participant, type: call.query["type"], reader)
        var json = JSONWriter(capacity: 256 + 512 * slice.events.count)
        json.object { list in
            list.field("object", "list")
            list.array("data") { data in
                for event in slice.events {
                    data.object { EventWire.write(event, for: call.principal, &$0) }
                }
            }
            list.field("has_more", slice.hasMore)
            list.field(
                "next_cursor", EventCursor(feed: head.feed, sequence: slice.end).description)
            list.field("url", call.request.path)
        }
        return .object(json.bytes)
    }

    private static let cursor = Schema.string(
        TextRule(
            1...29, pattern: "^([0-9a-z]{10}\\.)?[0-9]{1,18}$", words: "a next_cursor",
            accepts: { EventCursor($0) != nil }))

    private static let feeding = Contract(
        operationID: "listEvents",
        summary: "Everything that happened after the cursor, oldest first. A type is looked for in "
            + "the next \(EventStore.scannedMax) events: if has_more is true, go on from "
            + "next_cursor, also when data is empty.",
        query: [
            .optional(
                "after", cursor,
                "The next_cursor of the page before; absent: from the beginning. If this service "
                    + "was restored from a backup and the cursor is of events that it does not "
                    + "have, the answer is 409 cursor_ahead with the head."),
            .optional("limit", .integer(1...100), "How many events; 10 by default."),
            .optional("type", .text(1...60), "Only events of this type."),
        ],
        answer: .object([
            .required("object", .choice(["list"])),
            .required("data", .list(EventWire.schema, count: 0...100)),
            .required("has_more", .boolean),
            .required("next_cursor", cursor, "Opaque: the feed's id and a number."),
            .required("url", .text(1...200)),
        ]), refusals: Problem.examples(of: [EventFeedRefusal.example]))
}

extension EventFeedRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .cursorAhead(let head):
            Problem(
                status: 409, code: "cursor_ahead",
                detail: "The cursor is of events that this service does not have, as after a "
                    + "restore. Compare what you kept with this service, then go on from head.",
                extra: [("head", .string(head.description))])
        }
    }

    static let example = cursorAhead(head: EventCursor(feed: "3vqjhp41x0", sequence: 81_000))
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

    /// Of its own an allow list, so that what nobody has thought of stays hidden: not the whole
    /// amount of a sale of which others have a share, nor whose lead was first, nor what the
    /// operator thinks.
    private static func ownData(_ event: Event, for caller: Principal) -> [UInt8] {
        guard let data = (try? JSONValue.parse(Array(event.data.utf8)))?.objectValue else {
            return Array("{}".utf8)
        }
        let hidden = memberHidden(in: event.type)
        // Most events have nothing to hide: those are not taken apart.
        if data.allSatisfy({ plain.contains($0.name) && $0.name != hidden }) {
            return Array(event.data.utf8)
        }
        var shown = JSONObject()
        for (name, value) in data where shownToItself.contains(name) && name != hidden {
            shown[name] = value
        }
        // Of a hint that was left out its name, not why.
        shown["ignored"] = shown["ignored"]?.arrayValue.map { hints in
            .array(hints.map { ["name": $0.objectValue?["name"] ?? $0] })
        }
        shown["basis"] = shown["basis"].map { RewardBasisWire.json($0, for: caller) }
        return JSONValue.object(shown).encoded()
    }

    /// The member that the allow list shows, but not in events of this type.
    private static func memberHidden(in type: String) -> String? {
        if type.hasPrefix("conversion.") { return "amount" }
        if type.hasPrefix("participant.") { return "fields" }
        // It is counted from the referral, which may be another's.
        return type == "reward.target_missed" ? "due_at" : nil
    }

    /// The members that are shown as they are.
    private static let plain = shownToItself.subtracting(["ignored", "basis"])

    /// The members of `data` that a participant reads in the events that are about itself.
    private static let shownToItself: Set<String> = [
        "amount", "basis", "blocked_by", "broken_rules", "clawed_back",
        "conversion_id", "corrected", "currency", "days", "decision", "description",
        "discount_basis_points", "due_at", "ended_at", "expected_close", "fields", "follow_up_at",
        "ignored", "item_id", "kind", "lead_id", "owner", "paid", "party", "payout_id", "points",
        "previous_kind", "product", "program_version", "protected_until", "reason_code",
        "referrer_by", "refund_id", "reversed", "rewards", "rule_id", "rule_version", "run_id",
        "sku", "source", "value", "version",
    ]
}
