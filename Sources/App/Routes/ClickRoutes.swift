import Database
import HTTP
import JSON
import Model
import Programs
import ReferralLinks

/// `/v1/clicks`: every hit on a link, what it was found to be, and by which rule.
enum ClickRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/v1/clicks", .key(.read), .longRead(list), listing)
        routes.add(.get, "/v1/clicks/{id}", .key(.read), .read(get), reading)
    }

    // MARK: - Handlers

    private static func list(_ call: Call, _ reader: Reader) throws -> Response {
        let after = try cursor("starting_after", call, reader)
        let before = try cursor("ending_before", call, reader)
        if after != nil && before != nil {
            throw Refused(
                .invalidField(
                    "/ending_before", code: "exclusive", detail: "excludes starting_after"))
        }
        // The sequence is of no use here, because clicks are ordered by their ids; the page only
        // needs to know which way it goes.
        let request = PageRequest(
            limit: call.query["limit"].flatMap { Int($0) } ?? 10,
            window: before != nil ? .newer(than: 0) : .older(than: after == nil ? nil : 0))
        var clicks = try ClickStore.clicks(
            ClickStore.Filter(
                link: call.queryID("link_id"),
                kind: call.query["class"].flatMap { Click.Class(name: $0) },
                created: try call.createdWindow(reader)),
            after: after, before: before, limit: request.limit, reader)
        let hasMore = clicks.count > request.limit
        if hasMore { clicks.removeLast() }
        if before != nil { clicks.reverse() }
        let page = Page(items: clicks, hasMore: hasMore, request: request)
        return .list(page, call, id: { $0.id.description }) { click, data in
            data.object { ClickWire.write(click, &$0) }
        }
    }

    /// A cursor to nothing is 400, never an empty page.
    private static func cursor(_ name: String, _ call: Call, _ reader: Reader) throws -> ClickID? {
        guard let text = call.query[name] else { return nil }
        guard let id = ClickID(text), try ClickStore.find(id, reader) != nil else {
            throw Refused(
                .invalidField("/\(name)", code: "unknown_cursor", detail: "names no object here"))
        }
        return id
    }

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        guard let click = try ClickStore.get(call.id(), reader) else { throw Refused(.notFound()) }
        return .object(ClickWire.json(click))
    }

    // MARK: - Contracts

    private static let listing = Contract(
        operationID: "listClicks",
        summary: "Hits on links, newest first. A created_at window keeps the search short.",
        query: ListRequest.fields(of: ClickID.self).filter { $0.name != "count" }
            + ListRequest.createdFields + [
                .optional("link_id", .id(LinkID.self)),
                .optional("class", .choice(Click.Class.allCases.map(\.name))),
            ], answer: .page(of: ClickWire.schema))

    private static let reading = Contract(
        operationID: "getClick", summary: "One hit, with the rule that said what it is.",
        answer: ClickWire.schema)
}

/// How a click looks on the wire.
enum ClickWire {
    static let schema = Schema.named(
        "Click",
        .object([
            .required("id", .id(ClickID.self)), .required("object", .choice(["click"])),
            .required("link_id", .id(LinkID.self)), .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required("class", .choice(Click.Class.allCases.map(\.name))),
            .required("reason", .nullable(.text(1...100)), "The rule's code; null for a human."),
            .required("pattern", .nullable(.text(1...100)), "What the rule found."),
            .required("rules_version", .integer(1...Int64.max)),
            .required(
                "anonymous", .boolean,
                "Counted without a visitor hash, because the visitor asked so or nobody clicked."),
            .required("utm", .object(CampaignTags.names.map { .optional($0, .text(1...200)) })),
            .required("referrer", .nullable(.text(1...253)), "The host only."),
            .required("created_at", .time),
        ]))

    static func json(_ click: RecordedClick) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { write(click, &$0) }
        return json.bytes
    }

    static func write(_ click: RecordedClick, _ json: inout JSONObjectWriter) {
        let rule = click.verdict.reason?.split(separator: ":", maxSplits: 1)
        json.field("id", click.id.description)
        json.field("object", "click")
        json.field("link_id", click.link.description)
        json.field("program_id", click.program.description)
        json.field("participant_id", click.participant.description)
        json.field("class", click.verdict.kind.name)
        json.field("reason", rule?.first.map(String.init))
        json.field("pattern", rule.flatMap { $0.count == 2 ? String($0[1]) : nil })
        json.field("rules_version", click.rulesVersion)
        json.field("anonymous", click.isAnonymous)
        json.field("utm", JSONValue.object(click.utm.json))
        json.field("referrer", click.referrerHost)
        json.field("created_at", click.occurredAt.rfc3339)
    }
}
