import JSON
import Model

/// Why a program's terms or a participant's wish are refused. The order is the order of the checks.
public enum ProgramRefusal: Error, Equatable, Sendable {
    /// The approval threshold names another currency than the program's.
    case thresholdCurrency
    /// The currency cannot change once the program has been activated, or has anything whose
    /// amounts are in it: rules, links, participants, catalogue items.
    case currencyIsFixed
    /// The time zone cannot change once the program has been activated: its months are counted by
    /// it.
    case timeZoneIsFixed
    /// This machine knows no time zone of this name.
    case timeZoneUnknown
    /// An allowed origin is not `scheme://host[:port]`.
    case badOrigin(index: Int)
    /// The parts of position-based attribution do not sum to 100.
    case badPosition
    /// The day of the payout schedule is none of its period.
    case badSchedule
    /// The program is not active, so nothing new can start in it.
    case notActive(state: Program.State)
}

/// Decisions about programs: pure, without clock or storage.
public enum ProgramRules {
    /// The line from which rewards are reviewed when the program names none: 500 dollars in USD, no
    /// line in other currencies (R171: rewards under 500 dollars are processed automatically).
    public static func defaultThreshold(_ currency: Currency) -> Int64? {
        currency.code == "USD" ? 50_000 : nil
    }

    /// Which of the terms that hold money back are not as in `old`; of a new program, and where the
    /// currency changes, in which the old amounts mean something else, not as they are by default.
    public static func changedControls(
        _ terms: ProgramTerms, in currency: Currency,
        from old: (terms: ProgramTerms, currency: Currency)?
    ) -> [String] {
        let before =
            old.flatMap { $0.currency == currency ? $0.terms : nil }
            ?? ProgramTerms(
                holdDays: terms.holdDays, approvalThreshold: defaultThreshold(currency),
                destination: nil, fallback: nil, thankYou: nil, allowedOrigins: [])
        let (then, now) = (before.json.objectValue, terms.json.objectValue)
        return ProgramTerms.controls.filter { then?[$0] != now?[$0] }
    }

    public static func check(
        threshold: Money?, currency: Currency, origins: [String]
    ) throws(ProgramRefusal) {
        if let threshold, threshold.currency != currency { throw .thresholdCurrency }
        for (index, origin) in origins.enumerated() {
            guard let url = WebURL(origin), url.origin == origin else {
                throw .badOrigin(index: index)
            }
        }
    }

    public static func check(position: AttributionTerms.Position) throws(ProgramRefusal) {
        guard position.isWhole else { throw .badPosition }
    }

    public static func check(schedule: PayoutTerms.Schedule) throws(ProgramRefusal) {
        guard schedule.isWhole else { throw .badSchedule }
    }

    /// `isUsed`: the program has something whose amounts are in its currency.
    public static func checkCurrency(
        from old: Currency, to new: Currency, state: Program.State, isUsed: Bool
    ) throws(ProgramRefusal) {
        if old != new && (state != .draft || isUsed) { throw .currencyIsFixed }
    }

    public static func checkTimeZone(
        from old: TimeZone, to new: TimeZone, state: Program.State
    ) throws(ProgramRefusal) {
        if old != new && state != .draft { throw .timeZoneIsFixed }
    }

    /// The zone of this name; UTC where none is named.
    public static func timeZone(_ name: String?) throws(ProgramRefusal) -> TimeZone {
        guard let name else { return .utc }
        guard let zone = TimeZone.named(name) else { throw .timeZoneUnknown }
        return zone
    }

    /// Leads and forms are taken while a program is active, and while it is paused: what they earn
    /// waits for a person then.
    public static func checkTakesLeads(_ state: Program.State) throws(ProgramRefusal) {
        guard state == .active || state == .paused else { throw .notActive(state: state) }
    }

    /// New participants, links and registrations need an active program; a draft may be prepared.
    public static func checkOpen(
        _ state: Program.State, draftToo: Bool
    ) throws(ProgramRefusal) {
        guard state == .active || (draftToo && state == .draft) else {
            throw .notActive(state: state)
        }
    }
}
