import JSON
import Model

/// A referred person reached a goal: a sign-up or a sale.
public struct Conversion: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case signup, purchase, renewal, upsell }

    public let id: ConversionID
    public let program: ProgramID
    /// The operator's own name for it, unique in the program for good.
    public let externalID: String
    public let customer: CustomerID
    public let lead: LeadID?
    public let click: ClickID?
    /// The referral code that came with it.
    public let ref: String?
    public let kind: Kind
    public let amount: Money
    public var refundedAmount: Int64
    public let occurredAt: Instant
    public let metadata: JSONObject
    public let createdAt: Instant

    public init(
        id: ConversionID, program: ProgramID, externalID: String, customer: CustomerID,
        lead: LeadID?, click: ClickID?, ref: String?, kind: Kind, amount: Money,
        refundedAmount: Int64, occurredAt: Instant, metadata: JSONObject, createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.externalID = externalID
        self.customer = customer
        self.lead = lead
        self.click = click
        self.ref = ref
        self.kind = kind
        self.amount = amount
        self.refundedAmount = refundedAmount
        self.occurredAt = occurredAt
        self.metadata = metadata
        self.createdAt = createdAt
    }
}

/// Money given back for a conversion, in whole or in part. Append-only.
public struct Refund: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case refund, chargeback, cancellation }

    public let id: RefundID
    public let program: ProgramID
    public let conversion: ConversionID
    public let externalID: String
    public let kind: Kind
    public let amount: Int64
    public let reason: String?
    public let createdAt: Instant

    public init(
        id: RefundID, program: ProgramID, conversion: ConversionID, externalID: String, kind: Kind,
        amount: Int64, reason: String?, createdAt: Instant
    ) {
        self.id = id
        self.program = program
        self.conversion = conversion
        self.externalID = externalID
        self.kind = kind
        self.amount = amount
        self.reason = reason
        self.createdAt = createdAt
    }
}

/// Who was given credit for a conversion, decided once and kept with everything that decided it.
public struct Attribution: Sendable {
    /// One touch that was seen, with its verdict.
    public struct SeenTouch: Sendable {
        public let touch: TouchpointID
        public let participant: ParticipantID?
        public let source: String
        public let occurredAt: Instant
        public let verdict: TouchVerdict
    }

    /// A part of the credit.
    public struct Credit: Sendable, Equatable {
        public let participant: ParticipantID
        /// Of the sum of all parts.
        public let parts: Int64
        /// The deal registration that gave it.
        public let registration: RegistrationID?

        public init(participant: ParticipantID, parts: Int64, registration: RegistrationID?) {
            self.participant = participant
            self.parts = parts
            self.registration = registration
        }
    }

    public let id: AttributionID
    public let conversion: ConversionID
    public let model: AttributionModel
    /// Version of the program's rules.
    public let programVersion: Int64
    public let windowDays: Int64
    public let touches: [SeenTouch]
    public let credits: [Credit]
    public let reason: AttributionReason
    public let createdAt: Instant

    /// Who got the credit; the first of several.
    public var participant: ParticipantID? { credits.first?.participant }

    public init(
        id: AttributionID, conversion: ConversionID, model: AttributionModel, programVersion: Int64,
        windowDays: Int64, touches: [Touchpoint], decision: AttributionDecision, createdAt: Instant
    ) {
        self.id = id
        self.conversion = conversion
        self.model = model
        self.programVersion = programVersion
        self.windowDays = windowDays
        self.touches = zip(touches, decision.verdicts).map { touch, verdict in
            SeenTouch(
                touch: touch.id, participant: touch.participant, source: touch.source.rawValue,
                occurredAt: touch.occurredAt, verdict: verdict)
        }
        credits = decision.credits
        reason = decision.reason
        self.createdAt = createdAt
    }

    init(
        id: AttributionID, conversion: ConversionID, model: AttributionModel, programVersion: Int64,
        windowDays: Int64, seen: [SeenTouch], credits: [Credit],
        reason: AttributionReason, createdAt: Instant
    ) {
        self.id = id
        self.conversion = conversion
        self.model = model
        self.programVersion = programVersion
        self.windowDays = windowDays
        touches = seen
        self.credits = credits
        self.reason = reason
        self.createdAt = createdAt
    }
}
