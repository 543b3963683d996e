import Glibc
import Platform

@testable import HTTP

/// What tests see of a server's work, from any thread.
final class Record: Sendable {
    let answered = Locked<[Answered]>([])
    let replies = Locked<[Reply]>([])
    /// Raised for each reply that is kept.
    let kept: EventSignal
    /// Slices that `/stream` made.
    let slices = Locked(0)
    /// Raised when a stream is dropped.
    let dropped: EventSignal
    let drops = Locked(0)

    init() throws {
        kept = try EventSignal(blocking: true)
        dropped = try EventSignal(blocking: true)
    }

    /// Two that are dropped at once raise the signal once.
    func waitForDrops(_ count: Int) {
        while drops.withLock({ $0 }) < count { dropped.wait() }
    }
}

/// Answers by path: `/echo` with the body, `/later` when the test sends the reply it finds in the
/// record, `/late` by the loop's own answer, `/big` with a megabyte, `/shared` with one that is
/// shared, `/stream` with a hundred slices of as much (`/broken` fails instead of the last),
/// anything else with the method and path.
final class EchoHandler: RequestHandler {
    private let record: Record
    private var count = 0

    init(_ record: Record) { self.record = record }

    func makeRequestID() -> String {
        count += 1
        return "req_\(count)"
    }

    func decideBody(_ head: Request) -> BodyDecision {
        switch head.path {
        case "/refuse": .refuse(Problem(401, "unauthorized").response(requestID: head.id))
        case "/small": .accept(bytesMax: 10)
        default: .acceptUpToLimit
        }
    }

    func handle(_ request: Request, _ reply: Reply) -> Outcome {
        switch request.path {
        case "/echo":
            return .answer(Response(status: 200, body: request.body))
        case "/later":
            record.replies.withLock { $0.append(reply) }
            record.kept.raise()
            return .later
        case "/elsewhere":
            // Answered by another thread as soon as may be.
            reply.send(.text(200, "elsewhere"))
            return .later
        case "/late":
            record.replies.withLock { $0.append(reply) }
            return .laterOr(milliseconds: 20) { .redirect("/instead") }
        case "/big":
            return .answer(Response(status: 200, body: [UInt8](repeating: 65, count: 1 << 20)))
        case "/shared":
            return .answer(Response(status: 200, content: .shared(Self.shared)))
        case "/stream", "/broken":
            let source = SliceSource(record, breaksOff: request.path == "/broken")
            return .answer(
                Response(
                    status: 200, content: .stream(BodyStream { deliver in source.make(deliver) })))
        case "/empty":
            return .answer(.noContent)
        case "/host":
            return .answer(.text(200, "\(request.host ?? "-") \(request.header("Host") ?? "-")"))
        case "/injected":
            return .answer(Response(status: 200, headers: [("X-Echo", "a\r\nX-Evil: b")]))
        case "/peer":
            return .answer(.text(200, "\(request.peer) \(request.listener)"))
        default:
            let body = request.body.isEmpty ? "" : " \(request.body.count)"
            return .answer(
                .text(200, "\(request.methodText) \(request.path) \(request.query)\(body)"))
        }
    }

    func didAnswer(_ answer: Answered) {
        record.answered.withLock { $0.append(answer) }
    }

    func turnEnded() {}

    private static let shared = [UInt8](repeating: 66, count: 1 << 20)
}

/// A hundred slices of a megabyte, each of one letter, made by another thread.
private final class SliceSource: Sendable {
    private let record: Record
    private let breaksOff: Bool
    private let count = Locked(0)

    init(_ record: Record, breaksOff: Bool) {
        self.record = record
        self.breaksOff = breaksOff
    }

    deinit {
        record.drops.withLock { $0 += 1 }
        record.dropped.raise()
    }

    func make(_ deliver: @escaping @Sendable (BodyStream.Slice) -> Void) {
        let number = count.withLock { count in
            count += 1
            return count
        }
        guard number <= 100 else { return deliver(breaksOff ? .failed : .end) }
        record.slices.withLock { $0 += 1 }
        let letter = UInt8(ascii: "a") + UInt8(number % 26)
        do {
            _ = try Thread("slices") {
                pthread_detach(pthread_self())
                deliver(.bytes([UInt8](repeating: letter, count: 1 << 20)))
            }
        } catch {
            deliver(.failed)
        }
    }
}

/// A server on a free port of the loopback, drained at the end.
final class TestServer {
    let server: Server
    let record: Record

    init(
        _ listeners: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 0)], loops: Int = 1,
        limits change: (inout Limits) -> Void = { _ in }
    ) throws {
        let record = try Record()
        self.record = record
        var limits = Limits()
        limits.drainSeconds = 2
        limits.lingerSeconds = 1
        change(&limits)
        server = try Server(
            configuration: ServerConfiguration(listeners: listeners, loops: loops, limits: limits)
        ) { _ in EchoHandler(record) }
    }

    deinit {
        server.drain()
        server.wait()
    }

    func client() throws -> RawClient { try RawClient(port: server.ports[0]) }

    /// The next reply that `/later` kept.
    func nextReply() -> Reply? {
        while record.replies.withLock({ $0.isEmpty }) { record.kept.wait() }
        return record.replies.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}
