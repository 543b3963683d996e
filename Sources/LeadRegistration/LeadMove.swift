import Model

/// An action on a lead with what it needs to be told.
public enum LeadMove: Sendable, Equatable {
    case qualify
    /// Although it breaks a rule, for a reason that is kept.
    case qualifyAnyway(reason: String)
    case disqualify(code: String, reason: String)
    case advance
    case win(value: Money?)
    case lose(code: String?, reason: String)
    case nurture(until: Instant, reason: String?)
    case reopen(code: String?, reason: String?)
    /// It is about an opportunity that is there already.
    case attach(to: LeadID, reason: String?)

    public var action: Lead.State.Action {
        switch self {
        case .qualify, .qualifyAnyway: .qualify
        case .disqualify: .disqualify
        case .advance: .advance
        case .win: .win
        case .lose: .lose
        case .nurture: .nurture
        case .reopen: .reopen
        case .attach: .attach
        }
    }
}

/// One step of a lead's life, as its timeline shows it.
public struct LeadStep: Sendable, Equatable {
    /// Such as `lead.qualified`.
    public let eventType: String
    public let from: Lead.State
    public let to: Lead.State
}

/// What a move makes of a lead: the new row, and the steps that led there, in order.
public struct LeadChange: Sendable, Equatable {
    public let lead: Lead
    public let steps: [LeadStep]
}

/// Why a disqualified lead is none (R97), as a code to count by.
public enum DisqualificationCode: String, Sendable, CaseIterable {
    case invalidContact = "invalid_contact"
    case notInTargetMarket = "not_in_target_market"
    case alreadyKnown = "already_known"
    case noResponse = "no_response"
    case noInterest = "no_interest"
    case noBudget = "no_budget"
    case noAuthority = "no_authority"
    case outsideWindow = "outside_window"
    case other
}

/// Why a deal was lost.
public enum LossCode: String, Sendable, CaseIterable {
    case price, competitor
    case noDecision = "no_decision"
    case noBudget = "no_budget"
    case badTiming = "bad_timing"
    case noResponse = "no_response"
    case other
}
