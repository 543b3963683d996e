import HTTP
import JSON
import Model
import ReferralLinks

/// How a link looks on the wire.
enum LinkWire {
    static let schema = Schema.named(
        "Link",
        .object([
            .required("id", .id(LinkID.self)), .required("object", .choice(["link"])),
            .required("code", code), .required("url", .text(1...400)),
            .required("program_id", .id(ProgramID.self)),
            .required("participant_id", .id(ParticipantID.self)),
            .required("destination_url", .nullable(.text(8...4096))),
            .required("channel", channel), .required("campaign", .nullable(.text(1...200))),
            .required(
                "utm", .object(CampaignTags.names.map { .optional($0, .text(1...200)) })),
            .required("expires_at", .nullable(.time)),
            .required("status", .choice(Link.State.allCases.map(\.rawValue))),
            .required(
                "disabled_at", .nullable(.time),
                "Since when it is disabled: touches of before still count."),
            .required("hidden", .boolean, "Lists leave it out. It stops nothing."),
            .required("metadata", .metadata), .required("version", .integer(1...Int64.max)),
            .required("created_at", .time), .required("updated_at", .time),
        ]))

    /// A code as it is kept.
    static let code = Schema.string(
        TextRule(3...64, pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{1,62}[A-Za-z0-9]$") {
            LinkCode.isWellFormed($0)
        })

    /// A code as people give it: a natural key.
    static let typedCode = Schema.key(
        3...64, pattern: "[A-Za-z0-9][A-Za-z0-9_-]{1,62}[A-Za-z0-9]",
        words:
            "a code such as ada or spring-24: 3 to 64 letters, digits, - and _, of which a letter "
            + "or digit comes first and last"
    ) { LinkCode.isWellFormed($0) }

    static let channel = Schema.choice(Link.Channel.allCases.map(\.rawValue))

    private static let changeableFields: [Field] = [
        .optional("destination_url", .nullable(.url), "Where it leads; default the program's."),
        .optional("channel", channel, "Where it is shared; other unless told."),
        .optional("campaign", .nullable(.text(1...200))),
        .optional(
            "utm", .object(CampaignTags.names.map { .optional($0, .nullable(.text(1...200))) }),
            "Added to the destination as utm_source and so on."),
        .optional(
            "expires_at", .nullable(.dayOrTime),
            "A time, or the last day. From then on it leads to the program's fallback_url, and "
                + "touches count no more."),
        .optional("hidden", .boolean, "Whether lists leave it out; default false."),
        .optional("metadata", .metadata),
    ]

    /// What a PATCH may change. The code stays: it may be printed somewhere.
    static let changeable = Schema.object(changeableFields)

    static let input = Schema.object(
        [
            .optional(
                "participant_id", .id(ParticipantID.self), "Whose; a token means its own."),
            .optional("code", typedCode, "Unique in any case of letters; made when absent."),
            .optional(
                "force", .boolean,
                "Takes a code although it is a reserved word (such as newsletter) or one of the "
                    + "program's reserved_codes. Not for a participant's token."),
        ] + changeableFields)

    static func json(_ link: Link, _ publicURL: String) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { write(link, publicURL, &$0) }
        return json.bytes
    }

    static func write(_ link: Link, _ publicURL: String, _ json: inout JSONObjectWriter) {
        json.field("id", link.id.description)
        json.field("object", "link")
        json.field("code", link.code)
        json.field("url", "\(publicURL)/r/\(link.code)")
        json.field("program_id", link.program.description)
        json.field("participant_id", link.participant.description)
        json.field("destination_url", link.destination?.text)
        json.field("channel", link.channel.rawValue)
        json.field("campaign", link.campaign)
        json.field("utm", JSONValue.object(link.utm.json))
        json.field("expires_at", link.expiresAt)
        json.field("status", link.state.rawValue)
        json.field("disabled_at", link.disabledAt)
        json.field("hidden", link.isHidden)
        json.field("metadata", JSONValue.object(link.metadata))
        json.field("version", link.version)
        json.field("created_at", link.createdAt.rfc3339)
        json.field("updated_at", link.updatedAt.rfc3339)
    }

    /// The members that a merge patch is applied to.
    static func form(_ link: Link) -> JSONValue {
        [
            "destination_url": link.destination.map { .string($0.text) } ?? .null,
            "channel": .string(link.channel.rawValue),
            "campaign": link.campaign.map { .string($0) } ?? .null,
            "utm": .object(link.utm.json),
            "expires_at": link.expiresAt.map { .string($0.rfc3339) } ?? .null,
            "hidden": .bool(link.isHidden), "metadata": .object(link.metadata),
        ]
    }
}

/// A link as asked for: decoded, with the defaults filled in.
struct LinkForm: Sendable {
    /// Nil: one is made.
    let code: String?
    let destination: WebURL?
    let channel: Link.Channel
    let campaign: String?
    let utm: CampaignTags
    let expiresAt: Instant?
    let isHidden: Bool
    let metadata: JSONObject

    /// `zone`: the program's, which says when a day ends.
    init(_ asked: Body, in zone: TimeZone) {
        let body = asked.timed(in: zone, ends: ["expires_at"])
        code = body.text("code")
        destination = body.url("destination_url")
        channel = body.text("channel").flatMap { Link.Channel(rawValue: $0) } ?? .other
        campaign = body.text("campaign")
        utm = CampaignTags(body.nested("utm")?.object ?? [:])
        expiresAt = body.time("expires_at")
        isHidden = body.flag("hidden") ?? false
        metadata = body.metadata
    }

    func link(
        id: LinkID, program: ProgramID, participant: ParticipantID, code: String, at now: Instant
    ) -> Link {
        Link(
            id: id, program: program, participant: participant, code: code,
            destination: destination, channel: channel, campaign: campaign, utm: utm,
            state: .active, isHidden: isHidden, expiresAt: expiresAt, metadata: metadata,
            version: 1, createdAt: now,
            updatedAt: now)
    }

    func changing(_ old: Link, at now: Instant) -> Link {
        var link = old
        link.destination = destination
        link.channel = channel
        link.campaign = campaign
        link.utm = utm
        link.expiresAt = expiresAt
        link.isHidden = isHidden
        link.metadata = metadata
        link.version += 1
        link.updatedAt = now
        return link
    }
}

/// The numbers of one link.
enum LinkStatsWire {
    private static let classFields = Click.Class.allCases.map { kind in
        Field.required(kind.name, .integer(0...Int64.max))
    }

    static let schema = Schema.named(
        "LinkStats",
        .object([
            .required("object", .choice(["link_stats"])), .required("link_id", .id(LinkID.self)),
            .required("totals", .object(classFields), "Clicks by class, since the beginning."),
            .required(
                "days",
                .list(.object([.required("date", .text(10...10))] + classFields), count: 0...90),
                "UTC days with clicks, oldest first."),
        ]))

    static func json(
        _ link: LinkID, _ totals: [Click.Class: Int64],
        _ days: [(day: Int64, clicks: [Click.Class: Int64])]
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512 + 120 * days.count)
        json.object { stats in
            stats.field("object", "link_stats")
            stats.field("link_id", link.description)
            stats.object("totals") { write(totals, &$0) }
            stats.array("days") { list in
                for (day, clicks) in days {
                    list.object { item in
                        item.field("date", CivilDay.text(day))
                        write(clicks, &item)
                    }
                }
            }
        }
        return json.bytes
    }

    private static func write(
        _ clicks: [Click.Class: Int64], _ json: inout JSONObjectWriter
    ) {
        for kind in Click.Class.allCases { json.field(kind.name, clicks[kind] ?? 0) }
    }
}
