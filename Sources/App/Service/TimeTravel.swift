import Database
import HTTP
import Model
import RewardLedger

extension Field {
    static let asOf = Field.optional(
        "as_of", .dayOrTime,
        "As it was then, or at the end of this day; not later than the last commit.")
}

extension Call {
    /// The instant that `as_of` names; nil without it. What happened up to the last commit is
    /// known and will not change; later is not over yet: 400.
    func asOf(_ reader: Reader, in zone: TimeZone = .utc) throws -> Instant? {
        guard let moment = queryMoment("as_of") else { return nil }
        let instant: Instant
        switch moment {
        case .time(let time): instant = time
        case .day: instant = moment.end(in: zone).advanced(byMilliseconds: -1)
        }
        let last = try LedgerReads.lastCommit(reader)
        guard instant <= last else {
            throw Refused(
                .invalidField(
                    "/as_of", code: "not_known_yet",
                    detail: "is later than the last commit (\(last.rfc3339)); leave it out for now")
            )
        }
        return instant
    }
}
