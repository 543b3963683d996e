import Database
import JSON
import Model
import Programs
import Records
import RewardLedger

/// The operator says what its catalogue has: a new item, or other words about one that is there.
enum KeepCatalogItem {
    enum Outcome: String, CaseIterable { case created, updated, unchanged }

    struct Wish: Sendable {
        let program: ProgramID
        let terms: CatalogItem.Terms
    }

    /// A new item.
    static func create(_ wish: Wish, actor: String, _ tx: Transaction) throws -> CatalogItem {
        guard try ProgramStore.recall(wish.program, tx) != nil else {
            throw Refused(.unknownReference("/program_id"))
        }
        let item = CatalogItem(
            id: tx.makeID(), program: wish.program, terms: wish.terms, createdAt: tx.now,
            updatedAt: tx.now)
        try check(item, tx)
        try CatalogItemStore.insert(item, tx)
        try tell("catalog_item.created", item, actor: actor, tx)
        return item
    }

    /// The item with the sku becomes what the wish says; a new one when there is none. Its state
    /// stays, and when all is there already, everything does.
    static func load(
        _ wish: Wish, actor: String, _ tx: Transaction
    ) throws -> (item: CatalogItem, outcome: Outcome) {
        guard let known = try CatalogItemStore.find(sku: wish.terms.sku, in: wish.program, tx)
        else { return (try create(wish, actor: actor, tx), .created) }
        guard known.terms != wish.terms else { return (known, .unchanged) }
        return (try change(known, to: wish.terms, actor: actor, tx), .updated)
    }

    static func change(
        _ old: CatalogItem, to terms: CatalogItem.Terms, actor: String, _ tx: Transaction
    ) throws -> CatalogItem {
        try CatalogItemRules.checkMayChange(old.state)
        var item = old
        item.terms = terms
        try check(item, tx)
        try save(&item, tx)
        try tell("catalog_item.updated", item, actor: actor, tx)
        return item
    }

    static func move(
        _ old: CatalogItem, by action: CatalogItem.State.Action, actor: String, _ tx: Transaction
    ) throws -> CatalogItem {
        var item = old
        item.state = try old.state.moved(by: action)
        try save(&item, tx)
        try tell(
            "catalog_item.\(item.state.rawValue)", item, from: old.state, actor: actor, tx)
        return item
    }

    private static func check(_ item: CatalogItem, _ tx: Transaction) throws {
        try CatalogItemRules.check(item.terms)
        try CatalogItemRules.checkUnique(
            owner: CatalogItemStore.find(sku: item.terms.sku, in: item.program, tx)?.id,
            of: item.id)
    }

    private static func save(_ item: inout CatalogItem, _ tx: Transaction) throws {
        item.version += 1
        item.updatedAt = tx.now
        try CatalogItemStore.update(item, tx)
    }

    private static func tell(
        _ type: String, _ item: CatalogItem, from: CatalogItem.State? = nil, actor: String,
        _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                type, item.id, program: item.program, actor: actor, from: from?.rawValue,
                to: item.state.rawValue,
                data: ["version": .integer(item.version), "points": .integer(item.terms.points)]),
            tx)
    }
}
