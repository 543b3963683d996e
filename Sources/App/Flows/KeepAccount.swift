import Database
import JSON
import LeadRegistration
import Model
import Records

/// A company is known to the operator: a new row, or what changed of the one that is there.
enum KeepAccount {
    enum Outcome: String { case created, updated, unchanged }

    struct Wish: Sendable {
        let externalID: String?
        let account: AccountName
        let relation: Account.Relation
        /// Nil: as it is, or from now on.
        var customerSince: Instant?
        /// Nil: as it is.
        let metadata: JSONObject?
    }

    /// The account by its external id, else by its domain or name; a new one when there is none.
    static func run(
        _ wish: Wish, actor: String, _ tx: Transaction
    ) throws -> (account: Account, outcome: Outcome) {
        let identity = AccountIdentity(
            domain: wish.account.domain, company: wish.account.name,
            country: wish.account.country, email: nil)
        try AccountRules.checkIdentifiable(identity)
        let named = try wish.externalID.flatMap { try AccountStore.find(externalID: $0, tx) }
        let alike = try AccountStore.find(identity, tx)
        // A row with an external id of its own is another's.
        let known =
            named ?? (alike?.externalID == nil || wish.externalID == nil ? alike : nil)
        guard let known else {
            let account = Account(
                id: tx.makeID(), externalID: wish.externalID, account: wish.account,
                relation: wish.relation, metadata: wish.metadata ?? [:], version: 1,
                createdAt: tx.now, updatedAt: tx.now
            ).following(wish.customerSince, at: tx.now)
            try checkUnique(account, tx)
            try AccountStore.insert(account, tx)
            try tell("account.created", account, actor: actor, tx)
            return (account, .created)
        }
        return try change(known, to: wish, actor: actor, tx)
    }

    /// The account was won: it is a customer from now on, where it can be known again at all. What
    /// the operator wrote of it stays; a partner's words make a row only where there is none.
    static func markCustomer(
        _ account: AccountName, actor: String, _ tx: Transaction
    ) throws {
        let identity = AccountIdentity(
            domain: account.domain, company: account.name, country: account.country, email: nil)
        guard identity.domainKey != nil || identity.companyKey != nil else { return }
        let known = try AccountStore.find(identity, tx)
        _ = try run(
            Wish(
                externalID: nil,
                account: AccountName(
                    name: known?.account.name ?? account.name,
                    domain: known?.account.domain ?? account.domain,
                    country: known?.account.country ?? account.country),
                relation: .customer, metadata: nil), actor: actor, tx)
    }

    /// The known account with what the wish names; unchanged when that is all there already.
    static func change(
        _ known: Account, to wish: Wish, actor: String, _ tx: Transaction
    ) throws -> (account: Account, outcome: Outcome) {
        var account = known
        account.externalID = wish.externalID ?? known.externalID
        account.account = AccountName(
            name: wish.account.name ?? known.account.name,
            domain: wish.account.domain ?? known.account.domain,
            country: wish.account.country ?? known.account.country)
        account.relation = wish.relation
        account.metadata = wish.metadata ?? known.metadata
        account = account.following(wish.customerSince, at: tx.now)
        guard account != known else { return (known, .unchanged) }
        return (try replace(known, by: account, actor: actor, tx), .updated)
    }

    static func replace(
        _ known: Account, by changed: Account, actor: String, _ tx: Transaction
    ) throws -> Account {
        var account = changed
        account.version = known.version + 1
        account.updatedAt = tx.now
        try AccountRules.checkIdentifiable(account.identity)
        try checkUnique(account, tx)
        try AccountStore.update(account, tx)
        try tell("account.updated", account, actor: actor, from: known.relation, tx)
        return account
    }

    private static func checkUnique(_ account: Account, _ tx: Transaction) throws {
        let domainOnly = AccountIdentity(
            domain: account.identity.domain, company: nil, country: nil, email: nil)
        try AccountRules.checkUnique(
            account.id,
            externalIDOwner: account.externalID.flatMap {
                try AccountStore.find(externalID: $0, tx)?.id
            },
            domainOwner: AccountStore.find(domainOnly, tx)?.id)
    }

    private static func tell(
        _ type: String, _ account: Account, actor: String, from: Account.Relation? = nil,
        _ tx: Transaction
    ) throws {
        try EventStore.append(
            NewEvent(
                type, account.id, actor: actor, from: from?.rawValue,
                to: account.relation.rawValue, data: ["version": .integer(account.version)]), tx)
    }
}
