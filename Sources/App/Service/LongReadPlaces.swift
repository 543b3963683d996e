import HTTP
import Model
import Platform

/// How many reads of a pool each participant's token has under way in a loop: few, so that one
/// portal cannot take the pool from everybody else. Keys of the operator are not counted.
final class LongReadPlaces: Sendable {
    private let taken = Locked<[ParticipantID: Int]>([:])

    /// Of one participant, in one loop.
    private let most: Int

    init(most: Int) { self.most = most }

    struct Place: Sendable {
        fileprivate let participant: ParticipantID?
        fileprivate let places: LongReadPlaces

        func leave() {
            guard let participant else { return }
            places.taken.withLock { taken in
                let left = (taken[participant] ?? 1) - 1
                taken[participant] = left > 0 ? left : nil
            }
        }
    }

    /// Refuses a token that has its share already (429).
    func enter(_ participant: ParticipantID?) throws -> Place {
        if let participant {
            let isFree = taken.withLock { taken in
                guard taken[participant, default: 0] < most else { return false }
                taken[participant, default: 0] += 1
                return true
            }
            guard isFree else {
                throw Refused(
                    Problem(
                        status: 429, code: "too_many_reports",
                        detail: "This token has as many reads under way as it may.",
                        headers: [("Retry-After", "1")]))
            }
        }
        return Place(participant: participant, places: self)
    }
}
