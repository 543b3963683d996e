import Glibc
import HTTP
import JSON
import Model
import Platform

/// One JSON object per line on standard output: time, level, message, and fields that are never
/// bodies, keys or personal data.
final class Log: Sendable {
    enum Level: String, Sendable { case debug, info, warning, error }

    /// Lines of less weight are left out: a demo moves its clock, and need not be warned of it.
    private let isErrorsOnly: Bool
    private let isDebugLogged: Bool

    /// Which answers are logged.
    enum Access: String, Sendable, CaseIterable {
        case none
        /// Server errors, refusals by the parser, answers that took over a second, and visitors who
        /// were turned away, of these one a second and status.
        case errors
        case all
    }

    private let clock: Clock
    private let access: Access
    private let output: Int32
    /// Keeps lines whole: several threads write.
    private let lines = Locked(())
    /// When visitors turned away were last logged, by status.
    private let turnedAway = Locked<[Int: MonotonicInstant]>([:])

    init(
        clock: Clock = .system, access: Access, output: Int32 = STDOUT_FILENO,
        isErrorsOnly: Bool = false, isDebugLogged: Bool = false
    ) {
        self.isDebugLogged = isDebugLogged
        self.isErrorsOnly = isErrorsOnly
        self.clock = clock
        self.access = access
        self.output = output
    }

    func write(_ level: Level, _ message: String, _ fields: [(String, String)] = []) {
        if isErrorsOnly && level != .error || level == .debug && !isDebugLogged { return }
        line(level, message) { json in
            for (name, value) in fields { json.field(name, value) }
        }
    }

    /// The line of one answer, when such lines are wanted.
    func access(_ answer: Answered, endpoints: [Endpoint]) {
        switch access {
        case .none: return
        case .errors:
            guard
                answer.status >= 500 || answer.refusedByParser || answer.seconds > 1
                    || isVisitorTurnedAway(answer, endpoints)
            else { return }
        case .all: break
        }
        let route =
            answer.tag > 0 && answer.tag <= endpoints.count
            ? endpoints[answer.tag - 1].path : "_unmatched"
        // What the parser refuses is the client's fault, also with 505.
        let isOurs = answer.status >= 500 && !answer.refusedByParser
        line(isOurs ? .error : .info, "request") { json in
            json.field("request_id", answer.requestID)
            json.field("method", answer.method.rawValue)
            json.field("route", route)
            json.field("status", answer.status)
            json.field("duration_ms", Int64(answer.seconds * 1000))
            json.field("bytes", answer.bytes)
        }
    }

    /// Whether a visitor's form was refused for where it came from, its size or its number, and no
    /// such line was written in this second: a robot must not fill the log.
    private func isVisitorTurnedAway(_ answer: Answered, _ endpoints: [Endpoint]) -> Bool {
        guard [403, 413, 429].contains(answer.status), endpoints.indices.contains(answer.tag - 1),
            endpoints[answer.tag - 1].path.hasPrefix("/f/")
        else { return false }
        let now = MonotonicInstant.now()
        return turnedAway.withLock { last in
            if let before = last[answer.status], now.seconds(since: before) < 1 { return false }
            last[answer.status] = now
            return true
        }
    }

    private func line(
        _ level: Level, _ message: String, _ fields: (inout JSONObjectWriter) -> Void
    ) {
        var json = JSONWriter(capacity: 256)
        json.object { object in
            object.field("ts", clock.now().rfc3339)
            object.field("level", level.rawValue)
            object.field("msg", message)
            fields(&object)
        }
        let bytes = json.bytes + [UInt8(ascii: "\n")]
        lines.withLock { _ in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.write(output, $0.baseAddress, $0.count)
                }
                if count < 0 {
                    if errno == EINTR { continue }
                    return
                }
                sent += count
            }
        }
    }
}
