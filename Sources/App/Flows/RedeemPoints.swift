import Database
import HTTP
import Model
import Programs
import RewardLedger

/// A participant gives points for an item of its program's catalogue.
struct RedeemPoints: Sendable {
    let participant: ParticipantID
    let item: CatalogItemID
    let reference: String?
    let country: CountryCode?
    let actor: String

    func callAsFunction(_ tx: Transaction) throws -> (redemption: Redemption, isNew: Bool) {
        guard let participant = try ParticipantStore.recall(participant, tx) else {
            throw Refused(.unknownReference("/participant_id"))
        }
        guard let item = try CatalogItemStore.find(item, tx), item.program == participant.program
        else { throw Refused(.unknownReference("/item_id")) }
        let outcome = try RedemptionBook.request(
            RedemptionOrder(
                reference: reference, participant: participant.id, item: item, country: country,
                actor: actor), tx)
        // What was asked for while it was approved stays the answer to its reference.
        if outcome.isNew, participant.state != .approved { throw Refused(PayOut.notApproved) }
        return outcome
    }
}
