import JSON
import Model

/// Changed rules tried out on the conversions of a period, without effect. The change can be
/// activated afterwards, now or from a date.
public struct Rehearsal: Sendable {
    public enum State: String, LifecycleState {
        case queued, running, done, failed, cancelled, activated

        public enum Action: String, Sendable, CaseIterable { case activate, cancel }

        public func after(_ action: Action) -> State? {
            switch (action, self) {
            case (.activate, .done): .activated
            case (.cancel, .queued), (.cancel, .running), (.cancel, .done): .cancelled
            default: nil
            }
        }

        /// Whether there is something left to compute.
        public var isOpen: Bool { self == .queued || self == .running }
    }

    public let id: RehearsalID
    public let program: ProgramID
    public var state: State
    /// What would be different, as it was asked for.
    public let change: JSONValue
    public let period: Range<Instant>
    /// Version of the program's rules that the change was laid over.
    public let programVersion: Int64
    /// The active rules of reward that it was laid over, with their versions; nil: it is not kept.
    public let rewardRules: [RewardRuleID: Int64]?
    /// How many there are in the period.
    public var conversions: Int64
    public var processed: Int64
    public var result: JSONValue?
    /// Why it failed.
    public var reason: String?
    /// When the change takes effect, where that was asked for.
    public var activateAt: Instant?
    public var version: Int64
    public let createdAt: Instant
    public var updatedAt: Instant

    public init(
        id: RehearsalID, program: ProgramID, change: JSONValue, period: Range<Instant>,
        programVersion: Int64, rewardRules: [RewardRuleID: Int64], conversions: Int64,
        createdAt: Instant
    ) {
        self.id = id
        self.program = program
        state = .queued
        self.change = change
        self.period = period
        self.programVersion = programVersion
        self.rewardRules = rewardRules
        self.conversions = conversions
        processed = 0
        version = 1
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    init(
        id: RehearsalID, program: ProgramID, state: State, change: JSONValue,
        period: Range<Instant>, programVersion: Int64, rewardRules: [RewardRuleID: Int64]?,
        conversions: Int64, processed: Int64, result: JSONValue?, reason: String?,
        activateAt: Instant?, version: Int64,
        createdAt: Instant, updatedAt: Instant
    ) {
        self.id = id
        self.program = program
        self.state = state
        self.change = change
        self.period = period
        self.programVersion = programVersion
        self.rewardRules = rewardRules
        self.conversions = conversions
        self.processed = processed
        self.result = result
        self.reason = reason
        self.activateAt = activateAt
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
