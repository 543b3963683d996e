import Attribution
import Database
import JSON
import Model
import Programs
import Records

/// A customer as the operator loads it: by its address or by the operator's own id, of which a
/// keyed hash alone is kept.
struct KnownCustomer: Sendable {
    let program: ProgramID?
    let name: TraceValue
    let since: Moment?

    static let schema = Schema.object([
        .optional(
            "program_id", .nullable(.id(ProgramID.self)), "Known there alone; default everywhere."),
        .optional("email", .nullable(.email), "Its address, or"),
        .optional("external_id", .nullable(.key(1...200)), "your own id of it; one of the two."),
        .optional(
            "customer_since", .nullable(.dayOrTime),
            "Since when: 2026-11-30, or 2026-11-30T10:00:00Z. Default: what is known, "
                + "else the time of loading."),
    ])

    init(_ body: Body) throws {
        program = body.id("program_id")
        since = body.moment("customer_since")
        switch (body.email("email"), body.text("external_id")) {
        case (let email?, nil): name = .mailbox(email)
        case (nil, let id?): name = .customer(id)
        default:
            throw Refused(
                .unprocessable(
                    "name_required", "Name a customer by its email or its external_id, not both."))
        }
    }

    func keep(_ tx: Transaction) throws -> KnownCustomerStore.Outcome {
        // What spans programs goes by UTC.
        var zone = TimeZone.utc
        if let program {
            guard let known = try ProgramStore.recall(program, tx) else {
                throw Refused(.unknownReference("/program_id"))
            }
            zone = known.terms.timeZone
        }
        return try KnownCustomerStore.keep(
            TraceStore.digest(name, tx), in: program, since: since?.start(in: zone), tx)
    }
}
