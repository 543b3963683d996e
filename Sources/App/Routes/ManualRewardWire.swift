import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// A reward that a person gives by hand, as it is asked for.
enum ManualRewardWire {
    static let input = Schema.object([
        .required("participant_id", .id(ParticipantID.self), "To whom it is given."),
        .optional(
            "amount", .money(from: 1), "In the program's currency. Either amount or points."),
        .optional("points", .amount(from: 1), "Loyalty points. Either amount or points."),
        .optional(
            "kind", .choice(RewardRule.Kind.choosable.map(\.rawValue)),
            "What the amount is paid as; default cash."),
        .required(
            "reason", .prose(1...500), "Why, for the participant and the books: no personal data."),
    ])

    static let oneOfBoth = Problem.unprocessable(
        "amount_or_points", "Give either amount, with a kind where it is not cash, or points.")

    static func give(_ call: Call) throws -> @Sendable (Transaction) throws -> Reward {
        let body = call.body
        let participant: ParticipantID = try body.required(
            "participant_id", body.id("participant_id"))
        let reason = try body.requiredText("reason")
        let kind = body.text("kind").flatMap { RewardRule.Kind(rawValue: $0) }
        let money = body.money("amount")
        let points = body.integer("points")
        guard (money == nil) != (points == nil), points == nil || kind == nil else {
            throw Refused(oneOfBoth)
        }
        let actor = call.principal.actor
        return { tx in
            guard let known = try ParticipantStore.recall(participant, tx),
                let program = try ProgramStore.recall(known.program, tx)
            else { throw Refused(.unknownReference("/participant_id")) }
            guard known.state == .approved || known.state == .suspended else {
                throw RewardRefusal.notApproved
            }
            if let money, money.currency != program.currency {
                throw Refused(
                    .unprocessable(
                        "currency_mismatch", "The amount must be in \(program.currency.code)."))
            }
            let amount = money ?? Money(amount: points ?? 0, currency: .points)
            return try RewardBook.give(
                ManualReward(
                    program: program.id, programVersion: program.version,
                    participant: participant, kind: points == nil ? kind ?? .cash : .points,
                    amount: amount,
                    threshold: points == nil ? program.terms.approvalThreshold : nil,
                    isReviewed: SeparateDuties.isAskedFor(program), reason: reason, actor: actor),
                tx)
        }
    }
}
