import Model

/// Somebody who buys or may buy, as one program knows them: by the operator's id, by e-mail, or
/// both. Two that turn out to be one person are merged and can be taken apart again: each keeps its
/// own touches and sales, and what is known of the person is that of all of them.
public struct Customer: Sendable, Equatable {
    public let id: CustomerID
    public let program: ProgramID
    public let externalID: String?
    /// The normalised address.
    public let emailKey: String?
    /// The customer that this one was found to be.
    public let mergedInto: CustomerID?
    public let createdAt: Instant

    public init(
        id: CustomerID, program: ProgramID, externalID: String?, emailKey: String?,
        mergedInto: CustomerID? = nil, createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.externalID = externalID
        self.emailKey = emailKey
        self.mergedInto = mergedInto
        self.createdAt = createdAt
    }
}

/// Two customers were found to be one person. It can be undone, once, and stays on record.
public struct CustomerMerge: Sendable, Equatable {
    public enum Cause: String, Sendable, CaseIterable {
        /// A request named both as its customer.
        case namedTogether = "named_together"
        /// A sale named its customer and a lead with another one.
        case lead
        /// A person said so.
        case `operator`
    }

    public struct Undoing: Sendable, Equatable {
        public let at: Instant
        public let by: String
        public let reason: String

        public init(at: Instant, by: String, reason: String) {
            self.at = at
            self.by = by
            self.reason = reason
        }
    }

    public let id: CustomerMergeID
    public let program: ProgramID
    /// The one that speaks for both from then on.
    public let kept: CustomerID
    public let merged: CustomerID
    public let cause: Cause
    public let reason: String?
    public let actor: String
    public let createdAt: Instant
    public var undone: Undoing?

    public init(
        id: CustomerMergeID, program: ProgramID, kept: CustomerID, merged: CustomerID,
        cause: Cause, reason: String?, actor: String, createdAt: Instant, undone: Undoing? = nil
    ) {
        self.id = id
        self.program = program
        self.kept = kept
        self.merged = merged
        self.cause = cause
        self.reason = reason
        self.actor = actor
        self.createdAt = createdAt
        self.undone = undone
    }
}

/// Why customers are not merged or taken apart. The order is the order of the checks.
public enum CustomerRefusal: Error, Equatable, Sendable {
    case otherProgram
    /// They are one person already.
    case alreadyOne
    /// More customers than can be looked at together.
    case tooMany
    case alreadyUndone
}

/// Decisions about identity: pure.
public enum CustomerRules {
    /// Customers that make up one person, at most.
    public static let membersMax = 100

    /// Whether a request that names both means one person. Two ids of the operator's own are two
    /// accounts with one mailbox: only a person can say that they are one.
    public static func isSamePerson(_ one: Customer, _ other: Customer) -> Bool {
        one.externalID == nil || other.externalID == nil
    }

    public static func checkMerge(
        _ kept: Customer, membersOfKept: Int, _ merged: Customer, membersOfMerged: Int
    ) throws(CustomerRefusal) {
        if kept.program != merged.program { throw .otherProgram }
        if kept.id == merged.id { throw .alreadyOne }
        if membersOfKept + membersOfMerged > membersMax { throw .tooMany }
    }
}
