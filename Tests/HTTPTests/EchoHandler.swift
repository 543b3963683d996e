import Platform

@testable import HTTP

/// What tests see of a server's work, from any thread.
final class Record: Sendable {
    let answered = Locked<[Answered]>([])
    let replies = Locked<[Reply]>([])
    /// Raised for each reply that is kept.
    let kept: EventSignal

    init() throws { kept = try EventSignal(blocking: true) }
}

/// Answers by path: `/echo` with the body, `/later` when the test sends the reply it finds in the
/// record, `/late` by the loop's own answer, `/big` with a megabyte, anything else with the method
/// and path.
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
