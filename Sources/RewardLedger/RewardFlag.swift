import JSON
import Model

/// Why a person must look at a reward before anybody is paid, or at a benefit before it is given,
/// whatever its amount and its hold. It is kept with what was earned: a code,
/// words, and what was found, in ids and never in personal values.
public struct RewardFlag: Sendable, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// Who refers and who buys seem to be one (R235).
        case selfReferral = "self_referral"
        /// It was earned by somebody who is suspended, closed or not approved yet (R238).
        case participantNotApproved = "participant_not_approved"
        /// Who referred may not refer by the program's rules (R4).
        case notEligible = "not_eligible"
        /// The program was paused.
        case programPaused = "program_paused"
        /// The code keeps taking sales that followed other participants' clicks (R236).
        case codePoaching = "code_poaching"
    }

    public let code: Code
    public let because: String
    public let evidence: JSONObject

    public init(code: Code, because: String, evidence: JSONObject) {
        self.code = code
        self.because = because
        self.evidence = evidence
    }

    /// As stored in the reward's basis, and as the API shows it.
    public var json: JSONValue {
        [
            "code": .string(code.rawValue), "because": .string(because),
            "evidence": .object(evidence),
        ]
    }

    /// Reads what `json` wrote. Nil when it is something else.
    public init?(json: JSONValue) {
        guard let object = json.objectValue,
            let code = object["code"]?.stringValue.flatMap(Code.init),
            let because = object["because"]?.stringValue,
            let evidence = object["evidence"]?.objectValue
        else { return nil }
        self.init(code: code, because: because, evidence: evidence)
    }
}

extension Reward {
    /// What a person was asked to look at when it was granted.
    public var flags: [RewardFlag] { basis.flags }
}

extension Benefit {
    /// What a person was asked to look at when it was granted.
    public var flags: [RewardFlag] { basis.flags }
}

extension JSONValue {
    /// What `flagged` added to a basis.
    fileprivate var flags: [RewardFlag] {
        objectValue?["flags"]?.arrayValue?.compactMap(RewardFlag.init(json:)) ?? []
    }

    /// The basis of what was earned with what was found; as it is when nothing was.
    func flagged(_ flags: [RewardFlag]) -> JSONValue {
        guard !flags.isEmpty, var basis = objectValue else { return self }
        basis["flags"] = .array(flags.map(\.json))
        return .object(basis)
    }
}
