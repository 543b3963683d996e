import JSON
import Model
import Records

/// Whether somebody refers himself (R235, R241): pure, from what is known of both sides.
///
/// A hit says that a person must look, not that there was fraud: two people may share a domain. So
/// nothing is refused here and no money is lost; the reward waits with what was found.
public enum SelfReferralRules {
    /// What tells that both are one, in the order in which it is looked for.
    public enum Signal: String, Sendable, CaseIterable {
        /// The same mailbox, however its address is spelled; also one that was there before.
        case email
        /// The same account of the operator's.
        case account
        case phone
        /// Where the one is paid, the other pays from.
        case payoutAccount = "payout_account"
        case device
        /// The same company's domain; never one of a provider of free mail.
        case domain
        /// The same address of the network on the same day.
        case address

        var because: String {
            switch self {
            case .email: "The participant and the buyer have the same mailbox."
            case .account: "The participant and the buyer are the same account of the operator's."
            case .phone: "The participant and the buyer have the same phone number."
            case .payoutAccount: "The participant is paid where the buyer pays from."
            case .device: "The participant and the buyer used the same device."
            case .domain: "The participant and the buyer have addresses of the same company."
            case .address: "The participant and the buyer came from one address on one day."
            }
        }
    }

    /// One side, as far as it is known.
    public struct Identity: Sendable, Equatable {
        /// What it is known from: the member that names it in the evidence, and its id.
        public let source: String
        public let id: String
        public let email: EmailAddress?
        /// Registrable; never of a provider of free mail.
        public let domain: DomainName?
        /// The operator's own name for it.
        public let account: String?
        /// What else it is known by.
        public let traces: Set<Trace>

        public init(
            source: String, id: String, email: EmailAddress?, domain: DomainName?,
            account: String? = nil, traces: Set<Trace> = []
        ) {
            self.source = source
            self.id = id
            self.email = email
            self.domain = domain
            self.account = account
            self.traces = traces
        }
    }

    /// One flag for each signal that hits, with the first identity of the buyer that it hit.
    public static func flags(
        participant: Identity, buyer: [Identity], signals: [Signal]
    ) -> [RewardFlag] {
        Signal.allCases.filter(signals.contains).compactMap { signal in
            guard let hit = buyer.first(where: { isSame(participant, $0, by: signal) }) else {
                return nil
            }
            var evidence: JSONObject = ["signal": .string(signal.rawValue)]
            evidence[participant.source] = .string(participant.id)
            evidence[hit.source] = .string(hit.id)
            return RewardFlag(
                code: .selfReferral, because: signal.because, evidence: evidence)
        }
    }

    private static func isSame(_ one: Identity, _ other: Identity, by signal: Signal) -> Bool {
        switch signal {
        case .email:
            one.email != nil && one.email?.normalized == other.email?.normalized
                || shareTrace(one, other, .mailbox)
        case .account: one.account != nil && one.account == other.account
        case .phone: shareTrace(one, other, .phone)
        case .payoutAccount: shareTrace(one, other, .account)
        case .device: shareTrace(one, other, .device)
        case .domain: one.domain != nil && one.domain == other.domain
        case .address: shareTrace(one, other, .address) || shareTrace(one, other, .browser)
        }
    }

    private static func shareTrace(
        _ one: Identity, _ other: Identity, _ kind: Trace.Kind
    ) -> Bool {
        one.traces.contains { $0.kind == kind && other.traces.contains($0) }
    }
}
