import Attribution
import Database
import JSON
import LeadRegistration
import Model
import Records

/// A customer as a sale or a touch tells of it.
struct NamedCustomer: Sendable {
    let externalID: String?
    let email: EmailAddress?
    /// What it is known by beside: this finds nobody.
    let traces: [TraceValue]
    /// An address that is none, where it has another name.
    var ignored: [IgnoredHint] = []

    var isNamed: Bool { externalID != nil || email != nil }
}

/// Who the customer of a sale or a touch is: known by id, by e-mail, by a lead or by a click; and
/// whether two that were known apart turn out to be one person.
struct KnowCustomer {
    let program: ProgramID
    let named: NamedCustomer
    var lead: Lead?
    var click: ClickID?
    let actor: String

    /// The customer that is named most strongly: by the operator's id, else by e-mail, else the
    /// lead's, else whom the click touched; made when there is none. Whoever is named beside it is
    /// merged into it, where the two may be one.
    func callAsFunction(_ tx: Transaction) throws -> Customer {
        let customer = try customer(tx)
        try TraceStore.keep(named.traces, of: customer.id, tx)
        return customer
    }

    private func customer(_ tx: Transaction) throws -> Customer {
        let named = try namedCustomer(tx)
        if let id = lead?.customer, let other = try CustomerStore.find(id, tx) {
            guard let named else { return other }
            try join(named, other, .lead, tx)
            return named
        }
        if let named { return named }
        if let click, let touch = try TouchpointStore.find(click: click, tx),
            let customer = try CustomerStore.find(touch.customer, tx)
        {
            return customer
        }
        return try CustomerStore.insert(program: program, externalID: nil, email: nil, tx)
    }

    private func namedCustomer(_ tx: Transaction) throws -> Customer? {
        let (externalID, email) = (named.externalID, named.email)
        let byID = try externalID.flatMap {
            try CustomerStore.find(externalID: $0, in: program, tx)
        }
        let byEmail = try email.flatMap {
            try CustomerStore.find(email: $0.normalized, in: program, tx)
        }
        switch (byID, byEmail) {
        case (let known?, let other?):
            try join(known, other, .namedTogether, tx)
            return known
        case (let known?, nil):
            try learn(email, known, tx)
            return known
        case (nil, let known?):
            guard let externalID else { return known }
            if known.externalID == nil {
                try CustomerStore.name(known.id, externalID: externalID, email: nil, tx)
                return known
            }
            // Another account of the operator's with the same mailbox is somebody else, and still
            // one person where something is given once.
            let other = try CustomerStore.insert(
                program: program, externalID: externalID, email: nil, tx)
            try shareMailbox(known, other, tx)
            return other
        case (nil, nil):
            guard externalID != nil || email != nil else { return nil }
            return try CustomerStore.insert(
                program: program, externalID: externalID, email: email?.normalized, tx)
        }
    }

    /// A second address is a customer of its own, so that taking it away again takes nothing else.
    private func learn(
        _ email: EmailAddress?, _ known: Customer, _ tx: Transaction
    ) throws {
        guard let email else { return }
        guard known.emailKey != nil else {
            return try CustomerStore.name(
                known.id, externalID: nil, email: email.normalized, tx)
        }
        let other = try CustomerStore.insert(
            program: program, externalID: nil, email: email.normalized, tx)
        try join(known, other, .namedTogether, tx)
    }

    /// Both are known by the address that the request names, of which one of them has the name.
    private func shareMailbox(
        _ one: Customer, _ other: Customer, _ tx: Transaction
    ) throws {
        guard let email = named.email else { return }
        for customer in [one, other] {
            try TraceStore.keep([.mailbox(email)], of: customer.id, tx)
        }
    }

    /// Merges `other` into `kept`, unless they are one already or may not be.
    private func join(
        _ kept: Customer, _ other: Customer, _ cause: CustomerMerge.Cause, _ tx: Transaction
    ) throws {
        guard kept.id != other.id else { return }
        guard CustomerRules.isSamePerson(kept, other) else {
            if cause == .namedTogether { try shareMailbox(kept, other, tx) }
            return
        }
        let root = try CustomerStore.root(of: kept, tx)
        let rootOfOther = try CustomerStore.root(of: other, tx)
        guard root.id != rootOfOther.id,
            try !CustomerStore.areKnownApart(root.id, rootOfOther.id, tx)
        else { return }
        do {
            _ = try MergeCustomers.run(
                root, rootOfOther, cause, reason: nil, actor: actor, tx)
        } catch is CustomerRefusal {
            // A sale is not turned away because its customers cannot be joined.
        }
    }
}

/// Two customers become one person, or two again.
enum MergeCustomers {
    /// `kept` speaks for both from now on. Throws `CustomerRefusal`.
    static func run(
        _ kept: Customer, _ merged: Customer, _ cause: CustomerMerge.Cause, reason: String?,
        actor: String, _ tx: Transaction
    ) throws -> CustomerMerge {
        let kept = try CustomerStore.root(of: kept, tx)
        let merged = try CustomerStore.root(of: merged, tx)
        try CustomerRules.checkMerge(
            kept, membersOfKept: CustomerStore.person(kept.id, tx).count, merged,
            membersOfMerged: CustomerStore.person(merged.id, tx).count)
        let merge = CustomerMerge(
            id: tx.makeID(), program: kept.program, kept: kept.id, merged: merged.id, cause: cause,
            reason: reason, actor: actor, createdAt: tx.now)
        try CustomerStore.insert(merge, tx)
        try EventStore.append(
            NewEvent(
                "customer.merged", kept.id, program: kept.program, actor: actor,
                reason: cause.rawValue,
                data: [
                    "merge_id": .string(merge.id.description),
                    "merged_id": .string(merged.id.description),
                ]), tx)
        return merge
    }

    /// The two are known apart from now on: no request that names both joins them again.
    static func undo(
        _ merge: CustomerMerge, reason: String, actor: String, _ tx: Transaction
    ) throws -> CustomerMerge {
        guard merge.undone == nil else { throw CustomerRefusal.alreadyUndone }
        var undone = merge
        undone.undone = CustomerMerge.Undoing(at: tx.now, by: actor, reason: reason)
        try CustomerStore.undo(undone, tx)
        try EventStore.append(
            NewEvent(
                "customer.unmerged", merge.kept, program: merge.program, actor: actor,
                data: [
                    "merge_id": .string(merge.id.description),
                    "merged_id": .string(merge.merged.description),
                ]), tx)
        return undone
    }
}
