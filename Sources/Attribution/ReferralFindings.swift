import Model

/// What is known of one person in one program, to say why there was a referral or none.
public struct ReferralSituation: Sendable {
    /// A lead of the person.
    public struct LeadFact: Sendable {
        public let lead: LeadID
        public let state: String
        public let reasonCode: String?
        public let referrer: ParticipantID?

        public init(
            lead: LeadID, state: String, reasonCode: String?, referrer: ParticipantID?
        ) {
            self.lead = lead
            self.state = state
            self.reasonCode = reasonCode
            self.referrer = referrer
        }
    }

    /// A sale to the person with its result.
    public struct Sale: Sendable {
        public let conversion: ConversionID
        public let occurredAt: Instant
        public let attribution: Attribution
        /// What it named that names nothing in the program.
        public let ignored: [IgnoredHint]
        /// Participants with credit whose own address is the buyer's.
        public let selfReferrers: [ParticipantID]

        public init(
            conversion: ConversionID, occurredAt: Instant, attribution: Attribution,
            ignored: [IgnoredHint] = [],
            selfReferrers: [ParticipantID]
        ) {
            self.conversion = conversion
            self.occurredAt = occurredAt
            self.attribution = attribution
            self.ignored = ignored
            self.selfReferrers = selfReferrers
        }
    }

    public var isProgramActive = true
    public var programState = ""
    /// Touches of the person up to now.
    public var touches: [TouchFact] = []
    public var leads: [LeadFact] = []
    public var sales: [Sale] = []
    /// What a sale of this moment would be decided as.
    public var decisionNow: AttributionDecision?

    public init() {}
}

/// One reason, with what it is about.
public struct ReferralFinding: Sendable, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// The program takes no new referrals.
        case programNotActive = "program_not_active"
        /// A sale is credited to somebody.
        case credited
        /// The credited participant and the buyer are one person.
        case selfReferral = "self_referral"
        /// A sale named a click of a page that was prefetched or embedded: nobody clicked.
        case robotClick = "robot_click"
        /// A sale named a click that the program does not have.
        case unknownClick = "unknown_click"
        /// A sale named a code that no link of the program has.
        case unknownRef = "unknown_ref"
        /// A sale had another hint that was left out.
        case ignoredHint = "ignored_hint"
        /// A sale is credited to nobody; the attribution's reason says which rule.
        case notCredited = "not_credited"
        /// A touch of before a sale was not known when it was decided.
        case lateTouch = "late_touch"
        /// The first contact came after the sale.
        case touchAfterSale = "touch_after_sale"
        /// A lead that counts for nothing.
        case leadOut = "lead_out"
        /// A lead that nobody referred.
        case leadWithoutReferrer = "lead_without_referrer"
        /// The person is known, but no contact with it.
        case noTouch = "no_touch"
        /// No sale is known; what one would be decided as.
        case noConversion = "no_conversion"
    }

    public let code: Code
    public var conversion: ConversionID?
    public var touch: TouchpointID?
    public var lead: LeadID?
    public var participant: ParticipantID?
    /// How many participants share the credit with `participant`.
    public var others = 0
    /// Of a sale that is credited to nobody.
    public var reason: AttributionReason?
    /// How long before the window began the nearest touch came, in milliseconds.
    public var missedBy: Int64?
    /// A state, a code or a class.
    public var detail: String?

    init(_ code: Code) { self.code = code }
}

extension ReferralSituation {
    /// Why there was a referral or none, what is most telling first: sales, then leads, then what
    /// is missing. Pure.
    public var findings: [ReferralFinding] {
        var found = sales.flatMap { findings(of: $0) }
        for lead in leads {
            if ["disqualified", "duplicate", "spam", "lost"].contains(lead.state) {
                var finding = ReferralFinding(.leadOut)
                finding.lead = lead.lead
                finding.detail = lead.reasonCode ?? lead.state
                found.append(finding)
            } else if lead.referrer == nil {
                var finding = ReferralFinding(.leadWithoutReferrer)
                finding.lead = lead.lead
                found.append(finding)
            }
        }
        if touches.isEmpty { found.append(ReferralFinding(.noTouch)) }
        if sales.isEmpty {
            var finding = ReferralFinding(.noConversion)
            finding.reason = decisionNow?.reason
            finding.participant = decisionNow?.credits.lazy.compactMap(\.participant).first
            found.append(finding)
        }
        if !isProgramActive {
            var finding = ReferralFinding(.programNotActive)
            finding.detail = programState
            found.append(finding)
        }
        return found
    }

    private func findings(of sale: Sale) -> [ReferralFinding] {
        var findings: [ReferralFinding] = []
        func add(_ code: ReferralFinding.Code, _ fill: (inout ReferralFinding) -> Void) {
            var finding = ReferralFinding(code)
            finding.conversion = sale.conversion
            fill(&finding)
            findings.append(finding)
        }
        if let participant = sale.attribution.participant {
            add(.credited) {
                $0.participant = participant
                $0.others = sale.attribution.credits.count { $0.participant != nil } - 1
                $0.reason = sale.attribution.reason
            }
        } else {
            add(.notCredited) { finding in
                finding.reason = sale.attribution.reason
                guard let nearest = nearestMiss(sale) else { return }
                finding.touch = nearest.touch
                finding.missedBy = nearest.by
            }
        }
        if sale.attribution.touches.isEmpty,
            let first = touches.first(where: { $0.occurredAt > sale.occurredAt })
        {
            add(.touchAfterSale) {
                $0.touch = first.touch
                $0.participant = first.participant
            }
        }
        for participant in sale.selfReferrers {
            add(.selfReferral) { $0.participant = participant }
        }
        for hint in sale.ignored {
            switch (hint.name, hint.because) {
            case (.click, .prefetch), (.click, .embedded):
                add(.robotClick) { $0.detail = hint.because.rawValue }
            case (.click, .unknown), (.click, .foreign): add(.unknownClick) { _ in }
            case (.ref, .unknown), (.ref, .foreign), (.code, .unknown), (.code, .foreign):
                add(.unknownRef) { _ in }
            default:
                add(.ignoredHint) { $0.detail = "\(hint.name.rawValue): \(hint.because.rawValue)" }
            }
        }
        let seen = Set(sale.attribution.touches.map(\.fact.touch))
        for touch in touches
        where touch.occurredAt <= sale.occurredAt && !seen.contains(touch.touch) {
            add(.lateTouch) {
                $0.touch = touch.touch
                $0.participant = touch.participant
            }
        }
        return findings
    }

    /// The touch that came nearest to the window from before, and how much too early.
    private func nearestMiss(_ sale: Sale) -> (touch: TouchpointID, by: Int64)? {
        let start = sale.occurredAt.advanced(
            byDays: Int(clamping: -sale.attribution.terms.windowDays))
        return sale.attribution.touches.last { $0.verdict == .outsideWindow }.map {
            ($0.fact.touch, start.milliseconds - $0.fact.occurredAt.milliseconds)
        }
    }
}
