import Database
import JSON
import Model
import Platform
import Programs
import Records
import ReferralLinks

/// A participant who may refer has a link with a code (R37), without anybody having to make one.
enum MakeLink {
    /// Makes a link to the program's destination for a participant that has been approved, unless
    /// it has one.
    static func forApproved(
        _ participant: Participant, actor: String, _ tx: Transaction
    ) throws {
        guard participant.state == .approved, try !LinkStore.hasAny(of: participant.id, tx) else {
            return
        }
        let link = Link(
            id: tx.makeID(), program: participant.program, participant: participant.id,
            code: try freeCode(tx), destination: nil, channel: .other, campaign: nil,
            utm: CampaignTags(), state: .active, expiresAt: nil, metadata: [:], version: 1,
            createdAt: tx.now, updatedAt: tx.now)
        try LinkStore.insert(link, tx)
        try EventStore.append(
            NewEvent(
                "link.created", link.id, program: link.program, participant: link.participant,
                actor: actor, to: link.state.rawValue), tx)
    }

    static func freeCode(_ tx: Transaction) throws -> String {
        var random = RandomPool()
        for _ in 0..<LinkRules.codeAttemptsMax {
            guard let code = LinkCode.draw(using: &random) else { break }
            if try !LinkStore.isTaken(code: code, tx) { return code }
        }
        throw LinkRefusal.noFreeCode
    }
}
