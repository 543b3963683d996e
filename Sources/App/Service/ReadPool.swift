import Database
import HTTP
import Model
import Platform

/// A loop's way into a pool of reading threads: what is sent there is answered from there.
struct ReadPool {
    private let push: @Sendable (@escaping @Sendable (Reader) -> Void) -> Bool
    private let places: ReadPlaces
    private let log: Log

    /// `most`: how many reads of the loop's a participant's token may have under way.
    init(
        most: Int, _ log: Log,
        _ push: @escaping @Sendable (@escaping @Sendable (Reader) -> Void) -> Bool
    ) {
        self.push = push
        places = ReadPlaces(most: most)
        self.log = log
    }

    /// Has `body` run on a thread of the pool, whose answer is sent when it is there. Throws 429
    /// where the pool is full.
    func answer(
        _ call: Call, tag: Int, _ reply: Reply,
        _ body: @escaping @Sendable (Reader) throws -> Response
    ) throws {
        let place = try places.enter(call.participant)
        let isTaken = push { [log] reader in
            defer { place.leave() }
            do {
                reply.send(try body(reader).tagged(tag))
            } catch {
                reply.send(Dispatcher.answer(to: error, call.request.id, tag, log))
            }
        }
        if !isTaken {
            place.leave()
            throw Refused(Failure.busy)
        }
    }
}

/// How many reads of a pool each participant's token has under way in a loop: few, so that one
/// portal cannot take the pool from everybody else. Keys of the operator are not counted.
final class ReadPlaces: Sendable {
    private let taken = Locked<[ParticipantID: Int]>([:])

    /// Of one participant, in one loop.
    private let most: Int

    init(most: Int) { self.most = most }

    struct Place: Sendable {
        fileprivate let participant: ParticipantID?
        fileprivate let places: ReadPlaces

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
