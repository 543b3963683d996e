import Database
import HTTP
import JSON
import Model
import Programs

/// A request that has been routed, authenticated and checked against its contract.
struct Call: Sendable {
    let request: Request
    let parameters: PathParameters
    let principal: Principal
    let query: [String: String]
    let body: Body
    /// The URL that this service is reached at, without a trailing slash.
    let publicURL: String

    /// The identifier in the path. What is no such identifier names nothing: 404.
    func id<Kind>(_ name: String = "id") throws -> Identifier<Kind> {
        guard let text = parameters[name], let id = Identifier<Kind>(text) else {
            throw Refused(.notFound())
        }
        return id
    }

    func queryID<Kind>(_ name: String) -> Identifier<Kind>? {
        query[name].flatMap { Identifier<Kind>($0) }
    }

    func queryMoment(_ name: String) -> Moment? { query[name].flatMap { Moment($0) } }

    /// By whose clocks days are told: those of the program that `program_id` names, else of UTC,
    /// because what is asked for may span programs.
    func zone(_ reader: Reader) throws -> TimeZone {
        try queryID("program_id").map { try zone(of: $0, reader) } ?? .utc
    }

    func zone(of program: ProgramID, _ reader: Reader) throws -> TimeZone {
        try ProgramStore.find(program, reader)?.terms.timeZone ?? .utc
    }

    /// `created_at[gte]` and `created_at[lt]`; nil when neither is given or nothing lies between.
    func createdWindow(_ reader: Reader) throws -> Range<Instant>? {
        let zone = try zone(reader)
        let from = queryMoment("created_at[gte]")?.start(in: zone)
        let to = queryMoment("created_at[lt]")?.start(in: zone)
        if from == nil && to == nil { return nil }
        let start = from ?? Instant(milliseconds: Instant.representable.lowerBound)
        let end = to ?? Instant(milliseconds: Instant.representable.upperBound)
        return start..<max(start, end)
    }

    /// The participant whose token this is; nil for a secret key.
    var participant: ParticipantID? { principal.participant }

    /// The participant that `body` names; a token means its own.
    func named(_ body: Body) throws -> ParticipantID {
        guard let id = body.id("participant_id") ?? participant else {
            throw Refused(
                .unprocessable(
                    "participant_required", "Name the participant_id.", at: "/participant_id"))
        }
        return id
    }

    /// The refusal as the caller may read it.
    func told(_ error: any Error) -> any Error {
        guard participant != nil, let refusal = error as? ParticipantRefusal else { return error }
        return refusal.toldToParticipant
    }

    /// The answer as the caller may read it.
    func told(_ response: Response, at now: Instant, _ reader: Reader) throws -> Response {
        guard let participant else { return response }
        return try TokenView.masked(response, for: participant, at: now, reader)
    }

    /// Refuses a participant's token that asks for somebody else's object, without saying that it
    /// exists.
    func requireOwn(_ owner: ParticipantID?) throws {
        if let participant, participant != owner { throw Refused(.notFound()) }
    }

    /// The participant in the path; to a token its own alone.
    func participantInPath(_ reader: Reader) throws -> Participant {
        let id: ParticipantID = try self.id()
        try requireOwn(id)
        guard let participant = try ParticipantStore.find(id, reader) else {
            throw Refused(.notFound())
        }
        return participant
    }

    /// `If-Match` against the row's version (RFC 9110 section 13.1.1): 412 when it differs.
    func requireMatch(version: Int64) throws {
        guard let condition = request.header("if-match") else { return }
        let tags = condition.split(separator: ",").map { tag in
            tag.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                .reversed()
        }
        let current = Array("\"\(version)\"")
        guard tags.contains(where: { Array($0) == ["*"] || Array($0) == current }) else {
            throw Refused(.preconditionFailed())
        }
    }
}

extension Response {
    /// One object with its entity tag (the row's version).
    static func object(_ json: [UInt8], status: Int = 200, version: Int64? = nil) -> Response {
        var response = Response.json(status, json)
        response.headers.append(("Cache-Control", "no-store"))
        if let version { response.headers.append(("ETag", "\"\(version)\"")) }
        return response
    }

    /// 201 with the new object's address.
    static func created(_ json: [UInt8], at path: String, version: Int64? = nil) -> Response {
        var response = Response.object(json, status: 201, version: version)
        response.headers.append(("Location", path))
        return response
    }
}
