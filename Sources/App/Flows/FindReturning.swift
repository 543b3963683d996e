import Attribution
import Database
import LeadRegistration
import Model
import Programs
import Records

/// Whether somebody was a customer before a participant reached it (faults, section 5): by a paid
/// sale that stands, or because the operator had loaded the person or its company as a customer.
/// What becomes known later changes nothing.
struct FindReturning {
    /// Customers that are looked at together, most.
    private static let peopleMax = 200

    let program: Program
    /// Whose reach counts.
    let participants: [ParticipantID]
    /// What was recorded and loaded until then counts.
    let recordedAt: Instant
    var recordedBefore = Int64.max
    var lead: Lead?
    /// The company of the lead, as the operator knows it.
    var account: Account?

    /// One answer for a sale, so that shares stay whole. An account that a registration holds, and
    /// credit that a person gave, are never a returning customer's; a renewal is what the first
    /// credited sale was.
    static func sale(
        _ conversion: Conversion, _ decision: AttributionDecision, _ lead: Lead?,
        _ program: Program, _ person: [CustomerID], _ reader: Reader
    ) throws -> Bool {
        if conversion.kind == .renewal,
            let first = try AttributionStore.firstCreditedSale(
                person, before: conversion.id, reader),
            let attribution = try AttributionStore.newest(of: first.id, reader)
        {
            let lead = try first.lead.flatMap { try LeadStore.find($0, reader) }
            return try alone(first, attribution.decision, lead, program, person, reader)
        }
        return try alone(conversion, decision, lead, program, person, reader)
    }

    private static func alone(
        _ conversion: Conversion, _ decision: AttributionDecision, _ lead: Lead?,
        _ program: Program, _ person: [CustomerID], _ reader: Reader
    ) throws -> Bool {
        let participants = decision.credits.compactMap(\.participant)
        guard !participants.isEmpty, decision.reason != .registration, decision.reason != .manual
        else { return false }
        var find = FindReturning(
            program: program, participants: participants, recordedAt: conversion.createdAt)
        find.recordedBefore =
            try ConversionStore.sequence(of: conversion.id, reader) ?? Int64.max
        find.lead = lead
        find.account = try lead.flatMap { try AccountStore.find($0.identity, reader) }
        let touched = decision.touches.map(\.fact).filter {
            $0.participant.map(participants.contains) == true
                && $0.occurredAt <= conversion.occurredAt
        }.map(\.occurredAt).min()
        return try find(person, reachedAt: touched, reader)
    }

    /// The same for a lead and those who earn by it; `isRegistered`: a registration holds its
    /// account, which the operator knows as `account`.
    static func lead(
        _ lead: Lead, _ account: Account?, _ program: Program, earners: [ParticipantID],
        isRegistered: Bool, _ person: [CustomerID], at now: Instant, _ reader: Reader
    ) throws -> Bool {
        guard !isRegistered else { return false }
        var find = FindReturning(program: program, participants: earners, recordedAt: now)
        find.lead = lead
        find.account = account
        return try find(person, reachedAt: lead.referralTime, reader)
    }

    private func callAsFunction(
        _ person: [CustomerID], reachedAt: Instant?, _ reader: Reader
    ) throws -> Bool {
        let customers = try person.prefix(CustomerRules.membersMax).compactMap {
            try CustomerStore.find($0, reader)
        }
        let mailboxes = mailboxes(of: customers)
        // Most people are nobody's customer: then it does not matter who reached them when.
        guard try isCustomer(customers, mailboxes, before: nil, reader) else { return false }
        var reaches = [reachedAt]
        reaches.append(try TouchpointStore.firstReach(person, by: participants, reader))
        reaches.append(try LeadStore.firstReach(person, by: participants, reader))
        let accounts = (lead.map { [$0.identity] } ?? []) + mailboxes.map(account(of:))
        for key in accounts.flatMap(RegistrationRules.accountKeys).map(\.key) {
            reaches.append(try AccountClaimStore.firstReach(key, by: participants, reader))
        }
        guard let reachedAt = reaches.compactMap({ $0 }).min() else { return false }
        return try isCustomer(customers, mailboxes, before: reachedAt, reader)
    }

    /// By a sale, by what was loaded of the person, or of its company. `instant` nil: ever.
    private func isCustomer(
        _ customers: [Customer], _ mailboxes: [EmailAddress], before instant: Instant?,
        _ reader: Reader
    ) throws -> Bool {
        if try hasPaid(customers, before: instant, reader) { return true }
        if try isLoaded(customers, mailboxes, before: instant, reader) { return true }
        var since = [account?.customerSince]
        for mailbox in mailboxes
        where mailbox != lead?.contact.email || lead?.contact.domain != nil {
            since.append(try AccountStore.find(account(of: mailbox), reader)?.customerSince)
        }
        return since.compactMap { $0 }.contains { since in instant.map { since < $0 } ?? true }
    }

    private func account(of mailbox: EmailAddress) -> AccountIdentity {
        AccountIdentity(domain: nil, company: nil, country: nil, email: mailbox)
    }

    private func mailboxes(of customers: [Customer]) -> [EmailAddress] {
        let known = lead?.contact.email
        let key = known?.normalized
        return customers.compactMap(\.emailKey).compactMap {
            $0 == key ? known : EmailAddress($0)
        }
    }

    /// In any program.
    private func hasPaid(
        _ customers: [Customer], before instant: Instant?, _ reader: Reader
    ) throws -> Bool {
        let alike = try CustomerStore.alike(
            emails: customers.compactMap(\.emailKey),
            externalIDs: customers.compactMap(\.externalID), limit: Self.peopleMax, reader)
        var people = customers.map(\.id)
        for id in alike where !people.contains(id) && people.count < Self.peopleMax {
            people += try CustomerStore.person(id, reader).map(\.id)
        }
        return try ConversionStore.hasPaid(
            people, before: instant, recordedBefore: recordedBefore, reader)
    }

    private func isLoaded(
        _ customers: [Customer], _ mailboxes: [EmailAddress], before instant: Instant?,
        _ reader: Reader
    ) throws -> Bool {
        let values =
            mailboxes.map { TraceValue.mailbox($0) }
            + customers.compactMap(\.externalID).map { TraceValue.customer($0) }
        return try KnownCustomerStore.isCustomer(
            TraceStore.digests(values, reader), in: program.id, before: instant,
            knownAt: recordedAt, reader)
    }
}

/// Every customer of the program that is one person where something is given once: those that were
/// merged, and ids of the operator's with one mailbox.
enum FindPerson {
    static func run(_ customer: CustomerID, _ reader: Reader) throws -> [CustomerID] {
        let members = try CustomerStore.person(customer, reader)
        var people = members.map(\.id)
        for id in try TraceStore.sharingMailbox(
            with: people, limit: CustomerRules.membersMax, reader)
        where !people.contains(id) && people.count < CustomerRules.membersMax {
            guard let other = try CustomerStore.find(id, reader),
                other.program == members.first?.program
            else { continue }
            people += try CustomerStore.person(id, reader).map(\.id).filter {
                !people.contains($0)
            }
        }
        return people
    }
}
