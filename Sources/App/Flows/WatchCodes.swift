import Attribution
import Database
import JSON
import Model
import RewardLedger

/// A code that keeps taking sales which followed other participants' clicks (R236): a coupon site,
/// most often. Counted as sales are recorded; what the code earns from then on waits for a person.
enum WatchCodes {
    /// The codes that the sale is credited to, each with whether another's click was in the window.
    static func record(
        _ conversion: Conversion, _ attribution: Attribution, _ tx: Transaction
    ) throws {
        for code in try codes(attribution, tx) {
            try CodeSaleStore.keep(
                code.link, conversion.id,
                hasOtherClick: hasOtherClick(attribution, than: code.participant), tx)
        }
    }

    /// The flags of those whose code is one of these.
    static func flags(
        _ attribution: Attribution, _ tx: Transaction
    ) throws -> [ParticipantID: RewardFlag] {
        var flags: [ParticipantID: RewardFlag] = [:]
        for code in try codes(attribution, tx) {
            let taken = try CodeSaleStore.takenFromOthers(code.link, tx)
            guard taken >= CodeSaleStore.taken else { continue }
            flags[code.participant] = RewardFlag(
                code: .codePoaching,
                because: "\(taken) of the newest \(CodeSaleStore.lookedAt) sales of the code "
                    + "followed another participant's click.",
                evidence: [
                    "link_id": .string(code.link.description), "sales": .integer(taken),
                ])
        }
        return flags
    }

    private static func codes(
        _ attribution: Attribution, _ reader: Reader
    ) throws -> [(link: LinkID, participant: ParticipantID)] {
        let credited = attribution.credits.compactMap(\.participant)
        var codes: [(link: LinkID, participant: ParticipantID)] = []
        for touch in attribution.touches where touch.fact.kind == .code && touch.parts > 0 {
            guard let participant = touch.fact.participant, credited.contains(participant),
                let link = try TouchpointStore.find(touch.fact.touch, reader)?.link,
                !codes.contains(where: { $0.link == link })
            else { continue }
            codes.append((link, participant))
        }
        return codes
    }

    private static func hasOtherClick(
        _ attribution: Attribution, than participant: ParticipantID
    ) -> Bool {
        attribution.touches.contains {
            $0.fact.kind == .click && $0.fact.participant != participant
                && $0.fact.participant != nil && $0.verdict != .outsideWindow
                && $0.verdict != .afterConversion
        }
    }
}
