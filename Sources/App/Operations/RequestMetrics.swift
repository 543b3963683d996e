import HTTP
import Platform

/// Rate, errors and duration of requests, per route template. Each loop counts its own; `/metrics`
/// adds up.
final class RequestMetrics: Sendable {
    /// Upper bounds of the duration histogram in seconds.
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    struct Series: Sendable {
        /// Answers by status class and exact status.
        var statuses: [Int: UInt64] = [:]
        var buckets = [UInt64](repeating: 0, count: RequestMetrics.bounds.count + 1)
        var seconds = 0.0
        var count: UInt64 = 0
    }

    struct Totals: Sendable {
        var routes: [Series]
        var refusedByParser: UInt64 = 0
        var bytesSent: UInt64 = 0
    }

    /// Counts of one loop.
    final class LoopCounters: Sendable {
        private let totals: Locked<Totals>

        init(routes: Int) {
            totals = Locked(Totals(routes: Array(repeating: Series(), count: routes)))
        }

        func count(_ answer: Answered) {
            totals.withLock { totals in
                let index = answer.tag < totals.routes.count ? answer.tag : 0
                let bucket = RequestMetrics.bounds.firstIndex { answer.seconds <= $0 }
                totals.routes[index].statuses[answer.status, default: 0] += 1
                totals.routes[index].buckets[bucket ?? RequestMetrics.bounds.count] += 1
                totals.routes[index].seconds += answer.seconds
                totals.routes[index].count += 1
                totals.bytesSent += UInt64(answer.bytes)
                if answer.refusedByParser { totals.refusedByParser += 1 }
            }
        }

        func read() -> Totals { totals.withLock { $0 } }
    }

    /// Index 0 is what no route answered; route `i` of the table is `i + 1`.
    let names: [(method: String, route: String)]
    private let loops = Locked<[LoopCounters]>([])

    init(endpoints: [Endpoint]) {
        names = [("_OTHER", "_unmatched")] + endpoints.map { ($0.method.rawValue, $0.path) }
    }

    func counters(ofLoop loop: Int) -> LoopCounters {
        let counters = LoopCounters(routes: names.count)
        loops.withLock { $0.append(counters) }
        return counters
    }

    /// The sum over all loops.
    func totals() -> Totals {
        var sum = Totals(routes: Array(repeating: Series(), count: names.count))
        for loop in loops.withLock({ $0 }) {
            let part = loop.read()
            sum.refusedByParser += part.refusedByParser
            sum.bytesSent += part.bytesSent
            for (index, series) in part.routes.enumerated() {
                sum.routes[index].statuses.merge(series.statuses, uniquingKeysWith: +)
                sum.routes[index].seconds += series.seconds
                sum.routes[index].count += series.count
                for bucket in series.buckets.indices {
                    sum.routes[index].buckets[bucket] += series.buckets[bucket]
                }
            }
        }
        return sum
    }
}
