import Model

/// Why a reported touch is refused. The order is the order of the checks.
public enum TouchpointRefusal: Error, Equatable, Sendable {
    case inTheFuture
    /// A referral, or a partner's contact, names nobody who brought it about.
    case participantRequired
    /// The external id belongs to a touch that differs in this field.
    case differs(field: String)
}

/// Decisions about reported touches: pure.
public enum TouchpointRules {
    /// A referral, and a partner's contact, is somebody's.
    public static func needsParticipant(_ source: TouchSource) -> Bool {
        source == .referral || source == .partner
    }

    /// How late it comes does not matter: late arrivals are welcome.
    public static func check(
        occurredAt: Instant, now: Instant
    ) throws(TouchpointRefusal) {
        if occurredAt > now { throw .inTheFuture }
    }

    /// A second report with the same external id must say the same; what it leaves out agrees.
    public static func checkSame(
        _ known: Touchpoint, _ said: Touchpoint, saysTime: Bool, isCustomerNamed: Bool
    ) throws(TouchpointRefusal) {
        if known.source != said.source { throw .differs(field: "source") }
        if isCustomerNamed, known.customer != said.customer { throw .differs(field: "customer") }
        if known.participant != said.participant { throw .differs(field: "participant_id") }
        if known.click != said.click { throw .differs(field: "click_id") }
        if let channel = said.channel, known.channel != channel {
            throw .differs(field: "channel")
        }
        if let campaign = said.campaign, known.campaign != campaign {
            throw .differs(field: "campaign")
        }
        if saysTime, known.occurredAt != said.occurredAt { throw .differs(field: "occurred_at") }
    }
}
