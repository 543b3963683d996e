import Database
import HTTP
import JSON
import Model
import Platform
import Programs
import Records

/// Answers the requests of one loop: route, caller, contract, then the endpoint's action through
/// the one door its type names. Lives on the loop's thread with the loop's own read-only
/// connection.
final class Dispatcher: RequestHandler {
    private let app: Application
    private let reader: TurnReader
    private let authentication: Authentication
    private let redirects: RedirectDoor
    private let metrics: RequestMetrics.LoopCounters
    private let longReads: ReadPool
    private let pageReads: ReadPool
    private var random = RandomPool()
    /// Something was left for the writer in this turn.
    private var hasLeft = false

    init(app: Application, loop: Int) throws {
        self.app = app
        reader = try TurnReader(app.database)
        authentication = Authentication(
            database: app.database, reader: reader, adminKey: app.configuration.adminKey)
        redirects = RedirectDoor(app: app, reader: reader)
        let database = app.database
        longReads = ReadPool(most: 2, app.log) { database.longRead($0) }
        pageReads = ReadPool(most: 4, app.log) { database.pageRead($0) }
        metrics = app.requestMetrics.counters(ofLoop: loop)
    }

    func makeRequestID() -> String {
        RequestID(at: app.clock.now(), using: &random).description
    }

    func decideBody(_ head: Request) -> BodyDecision {
        guard case .found(let index, _) = app.router.match(head.method, path: head.path) else {
            return .accept(bytesMax: Dispatcher.drainedBodyBytesMax)
        }
        let endpoint = app.routes.endpoints[index]
        if let refusal = refusalOfStranger(endpoint, head) { return .refuse(refusal) }
        return .accept(bytesMax: endpoint.bodyBytesMax ?? Limits().bodyBytesMax)
    }

    /// Who has no key is told so before the body is taken: strangers must not fill the memory.
    private func refusalOfStranger(_ endpoint: Endpoint, _ head: Request) -> Response? {
        switch endpoint.access {
        case .everyone, .operations, .privateSocket: return nil
        case .key, .keyOrParticipant: break
        }
        guard !app.configuration.isPrivateSocket(head.listener),
            app.configuration.serves(endpoint.access, on: head.listener)
        else { return nil }
        do {
            let principal = try authentication.principal(of: head, at: app.clock.now())
            guard principal == .anonymous else { return nil }
            return Problem.unauthorized("A key is needed.").response(requestID: head.id)
        } catch {
            return answer(to: error, head.id, 0)
        }
    }

    /// A body that nothing reads is drained up to this size, so that the connection stays usable.
    private static let drainedBodyBytesMax = 1 << 16

    func handle(_ request: Request, _ reply: Reply) -> Outcome {
        switch app.router.match(request.method, path: request.path) {
        case .found(let index, let parameters):
            return run(index, request, parameters, reply)
        case .methodNotAllowed(let allow):
            guard isServed(request.path, on: request.listener) else { return notFound(request) }
            if request.method == .options {
                return .answer(Response(status: 204, headers: [("Allow", allow)]))
            }
            let problem = Problem(
                status: 405, code: "method_not_allowed",
                detail: "The path does not take this method.",
                headers: [("Allow", allow)])
            return .answer(problem.response(requestID: request.id))
        case .notFound:
            if request.method == .options && request.path == "*" {
                return .answer(Response(status: 204))
            }
            if let path = RedirectRoutes.barePath(request.path),
                case .found(let index, let parameters) = app.router.match(
                    request.method, path: path)
            {
                return run(index, request, parameters, reply)
            }
            return notFound(request)
        }
    }

    private func notFound(_ request: Request) -> Outcome {
        let problem = Problem(
            status: 404, code: "not_found", detail: "There is nothing at this path.")
        return .answer(problem.response(requestID: request.id))
    }

    /// Whether any method of `path` is for this listener: what is not must not show in a 405.
    private func isServed(_ path: String, on listener: Int) -> Bool {
        Method.allCases.contains { method in
            guard case .found(let index, _) = app.router.match(method, path: path) else {
                return false
            }
            return app.configuration.serves(app.routes.endpoints[index].access, on: listener)
        }
    }

    func didAnswer(_ answer: Answered) {
        metrics.count(answer)
        app.log.access(answer, endpoints: app.routes.endpoints)
    }

    func turnEnded() {
        // Only then: an idle writer uses its rest.
        if hasLeft { app.database.callWriter() }
        hasLeft = false
        do {
            try reader.endTurn()
        } catch {
            app.log.write(.error, "the end of a read failed: \(error)")
        }
    }

    private func run(
        _ index: Int, _ request: Request, _ parameters: PathParameters, _ reply: Reply
    ) -> Outcome {
        let endpoint = app.routes.endpoints[index]
        let tag = index + 1
        do {
            if case .redirect = endpoint.action {
                hasLeft = true
                guard app.configuration.serves(endpoint.access, on: request.listener) else {
                    return notFound(request)
                }
                return redirects.handle(request, code: parameters["code"] ?? "", tag: tag, reply)
            }
            let call = try call(endpoint, request, parameters)
            return try perform(endpoint, call, tag: tag, reply)
        } catch {
            return .answer(answer(to: error, request.id, tag))
        }
    }

    /// Checks everything about the request that needs no transaction.
    private func call(
        _ endpoint: Endpoint, _ request: Request, _ parameters: PathParameters
    ) throws -> Call {
        let now = app.clock.now()
        let principal: Principal
        switch endpoint.access {
        case .everyone: principal = .anonymous
        case .privateSocket, .operations, .key, .keyOrParticipant:
            if app.configuration.isPrivateSocket(request.listener) {
                principal = .operatorItself
            } else {
                principal = try caller(of: request, endpoint.access, at: now)
            }
        }
        try endpoint.access.check(
            principal, isHere: app.configuration.serves(endpoint.access, on: request.listener))
        let query = try QueryCheck.query(of: request, endpoint.about)
        var body = Body()
        if let schema = endpoint.about.body, endpoint.about.parsesBody {
            body = try BodyCheck.body(of: request, schema, types: endpoint.about.bodyTypes)
        }
        return Call(
            request: request, parameters: parameters, principal: principal, query: query,
            body: body,
            publicURL: app.publicURL)
    }

    /// Health is told also when keys cannot be looked up, and then most of all.
    private func caller(
        of request: Request, _ access: Access, at now: Instant
    ) throws -> Principal {
        do {
            return try authentication.principal(of: request, at: now)
        } catch let fault as DatabaseFault {
            guard case .operations = access else { throw fault }
            return .anonymous
        }
    }

    private func perform(
        _ endpoint: Endpoint, _ call: Call, tag: Int, _ reply: Reply
    ) throws -> Outcome {
        switch endpoint.action {
        case .direct(let handler):
            return .answer(try handler(call).tagged(tag))
        case .service(let handler):
            return .answer(try handler(call, app).tagged(tag))
        case .serviceRead(let handler):
            let handler: LongHandler = { [app] in
                try Expansion.expanded(handler($0, app, $1), $0, app, $1)
            }
            return try readShort(call, handler, else: handler, tag: tag, reply)
        case .read(let handler):
            let handler: LongHandler = { [app] in
                try Expansion.expanded(handler($0, $1), $0, app, $1)
            }
            return try readShort(call, handler, else: handler, tag: tag, reply)
        case .tracedRead(let handler, let trace):
            return try readTraced(call, handler, trace, tag: tag, reply)
        case .shortRead(let handler, let long):
            return try readShort(call, handler, else: long, tag: tag, reply)
        case .longRead(let handler):
            return try readLong(call, handler, tag: tag, reply)
        case .pageRead(let handler):
            let now = app.clock.now()
            try pageReads.answer(call, tag: tag, reply) { [app] reader in
                try reader.snapshot {
                    let response = try Expansion.expanded(handler(call, reader), call, app, reader)
                    return try call.told(response, at: now, reader)
                }
            }
            return .later
        case .export(let handler):
            try longReads.answer(call, tag: tag, reply) { [app] reader in
                let export = try reader.snapshot { try handler(call, reader) }
                let run = try ExportRun(export, app.database, app.exports) { [log = app.log] in
                    log.write(
                        .error, "an export broke off: \($0)", [("request_id", call.request.id)])
                }
                return try run.response(reader)
            }
            return .later
        case .previewed(let handler, let preview):
            guard try DryRun.isAsked(call.request) else {
                try write(endpoint, call, step: handler(call), tag: tag, reply)
                return .later
            }
            _ = try IdempotencyToken(call, rule: endpoint.idempotency)
            try longReads.answer(call, tag: tag, reply) { reader in
                var response = try reader.snapshot { try preview(call, reader) }
                response.headers.append(("Dry-Run", "true"))
                return response
            }
            return .later
        case .background(let handler):
            try handler(call, app, reply)
            return .later
        case .write(let handler):
            try write(endpoint, call, step: handler(call), tag: tag, reply)
            return .later
        case .serviceWrite(let handler):
            try write(endpoint, call, step: handler(call, app), tag: tag, reply)
            return .later
        case .redirect:
            return .answer(Problem.internalError().response(requestID: call.request.id))
        }
    }

    private func told(
        _ call: Call, _ response: Response, _ reader: Reader
    ) throws -> Response {
        try call.told(response, at: app.clock.now(), reader)
    }

    private typealias LongHandler = @Sendable (Call, Reader) throws -> Response

    /// On the loop, unless it says or turns out that it would hold it up, as with a filter for what
    /// is rare.
    private func readShort(
        _ call: Call, _ handler: (Call, Reader) throws -> Response?,
        else long: @escaping LongHandler,
        tag: Int, _ reply: Reply
    ) throws -> Outcome {
        do {
            let view = try reader.current()
            if let response = try handler(call, view) {
                return .answer(try told(call, response, view).tagged(tag))
            }
        } catch let fault as DatabaseFault where fault.isInterrupted {
            // The pool has time for it.
        }
        return try readLong(call, long, tag: tag, reply)
    }

    /// On the loop for the operator. What a participant's token looks up is recorded with it.
    private func readTraced(
        _ call: Call, _ handler: @escaping @Sendable (Call, Application, Reader) throws -> Response,
        _ trace: @escaping @Sendable (Call, Transaction) throws -> Void, tag: Int, _ reply: Reply
    ) throws -> Outcome {
        guard call.participant != nil else {
            return .answer(try handler(call, app, reader.current()).tagged(tag))
        }
        try leave(
            { [app] tx in
                try trace(call, tx)
                return try call.told(handler(call, app, tx), at: tx.now, tx)
            }, call.request.id, tag: tag, reply)
        return .later
    }

    private func readLong(
        _ call: Call, _ handler: @escaping LongHandler, tag: Int, _ reply: Reply
    ) throws -> Outcome {
        let now = app.clock.now()
        try longReads.answer(call, tag: tag, reply) { reader in
            try reader.snapshot { try call.told(handler(call, reader), at: now, reader) }
        }
        return .later
    }

    private func write(
        _ endpoint: Endpoint, _ call: Call, step: @escaping WriteStep, tag: Int, _ reply: Reply
    ) throws {
        let requestID = call.request.id
        let isDryRun = try DryRun.isAsked(call.request)
        // A rehearsal must send what the real request must, but neither looks it up nor keeps it.
        let token = try IdempotencyToken(call, rule: endpoint.idempotency)
        let run = WriteRun(
            step: Dispatcher.checked(step, call, app), token: isDryRun ? nil : token,
            isDryRun: isDryRun, requestID: requestID, secretMember: endpoint.secretMember)
        try leave({ try run($0) }, requestID, tag: tag, reply)
    }

    /// Has `body` run in the writer's transaction and its answer sent after the commit.
    private func leave(
        _ body: @escaping WriteStep, _ requestID: String, tag: Int, _ reply: Reply
    ) throws {
        let answer = Locked<Response?>(nil)
        hasLeft = true
        let accepted = app.database.leave { tx in
            let response = try body(tx)
            answer.withLock { $0 = response }
        } completion: { [log = app.log] outcome in
            switch outcome {
            case .committed:
                let response = answer.withLock { $0 }
                reply.leave(
                    (response ?? Problem.internalError().response(requestID: requestID)).tagged(tag)
                )
            case .failed(let ended as DryRunEnded):
                reply.leave(ended.response.tagged(tag))
            case .failed(let error):
                reply.leave(Dispatcher.answer(to: error, requestID, tag, log))
            case .notCommitted(let fault):
                reply.leave(Dispatcher.answer(to: fault, requestID, tag, log))
            }
        }
        if !accepted { throw Refused(Failure.busy) }
    }

    /// The step, for who may write: a participant may have been suspended since its token was made.
    /// What a participant writes tells where it came from that day (R241).
    private static func checked(
        _ step: @escaping WriteStep, _ call: Call, _ app: Application
    ) -> WriteStep {
        guard let own = call.participant else { return step }
        let sender = SenderTraces(of: call.request, app).map { [$0.address, $0.browser] } ?? []
        return { tx in
            if let participant = try ParticipantStore.recall(own, tx) {
                try ParticipantRules.checkMayWrite(participant.state)
            }
            do {
                let response = try step(tx)
                try TraceStore.keep(sender, of: own, tx)
                return try call.told(response, at: tx.now, tx)
            } catch {
                throw call.told(error)
            }
        }
    }

    private func answer(to error: any Error, _ requestID: String, _ tag: Int) -> Response {
        Dispatcher.answer(to: error, requestID, tag, app.log)
    }

    static func answer(
        to error: any Error, _ requestID: String, _ tag: Int, _ log: Log
    ) -> Response {
        let (response, line) = Failure.answer(to: error, requestID: requestID)
        if let line { log.write(.error, line, [("request_id", requestID)]) }
        return response.tagged(tag)
    }
}

extension Response {
    func tagged(_ tag: Int) -> Response {
        var response = self
        response.tag = tag
        return response
    }
}
