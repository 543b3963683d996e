import Database
import HTTP
import JSON
import Model
import Programs

/// Second half of a write: facts, decision, rows, answer, inside the writer's transaction.
typealias WriteStep = @Sendable (Transaction) throws -> Response

/// How an endpoint reaches the database. There is no other way to reach it.
enum Action: Sendable {
    /// Needs nothing but the request.
    case direct(@Sendable (Call) throws -> Response)
    /// Needs the service itself: health, the contract.
    case service(@Sendable (Call, Application) throws -> Response)
    /// The same with short, indexed reads: metrics.
    case serviceRead(@Sendable (Call, Application, Reader) throws -> Response)
    /// Short, indexed reads on the loop's own read-only connection.
    case read(@Sendable (Call, Reader) throws -> Response)
    /// A read that is short for nearly everybody. It answers nil when it would touch more rows than
    /// a loop may, and `long` then runs in the pool.
    case shortRead(
        @Sendable (Call, Reader) throws -> Response?,
        long: @Sendable (Call, Reader) throws -> Response)
    /// A short read of which it is recorded when a participant's token does it: then both run in
    /// the writer's transaction. `trace` may refuse.
    case tracedRead(
        @Sendable (Call, Application, Reader) throws -> Response,
        trace: @Sendable (Call, Transaction) throws -> Void)
    /// A page whose rows each cost work and that many poll, on a pool of its own: it holds up
    /// neither a redirect nor waits for a report.
    case pageRead(@Sendable (Call, Reader) throws -> Response)
    /// Reads over history, on a small pool of their own.
    case longRead(@Sendable (Call, Reader) throws -> Response)
    /// Reads of any size, sent slice by slice.
    case export(@Sendable (Call, Reader) throws -> Export)
    /// Decodes on the loop, then runs its step in the writer's transaction; answered after the
    /// commit.
    case write(@Sendable (Call) throws -> WriteStep)
    /// A write whose dry run is too much for the writer's thread: it reads instead, like a long
    /// read, and the answer is that of the write.
    case previewed(
        @Sendable (Call) throws -> WriteStep, by: @Sendable (Call, Reader) throws -> Response)
    /// The same for a write that needs the service itself: the referral form's gate.
    case serviceWrite(@Sendable (Call, Application) throws -> WriteStep)
    /// Answers later by itself, from a thread of its own; never touches a loop's or the writer's
    /// connection.
    case background(@Sendable (Call, Application, Reply) throws -> Void)
    /// `/r/{code}`: records a click, answered after its commit or after 250 ms.
    case redirect

    /// Whether it answers at once from the loop's own connection.
    var isShortRead: Bool {
        switch self {
        case .read, .serviceRead: true
        default: false
        }
    }

    /// Whether it runs in the writer's transaction, with all that the API promises of writes.
    var isWrite: Bool {
        switch self {
        case .write, .serviceWrite, .previewed: true
        default: false
        }
    }
}

/// Who may call an endpoint.
enum Access: Sendable {
    case everyone
    /// A secret key with this scope.
    case key(Scope)
    /// A secret key with this scope, or a participant's token (limited to what is its own).
    case keyOrParticipant(Scope)
    /// Only through the private Unix socket of the daemon, by the user that runs it.
    case privateSocket
    /// Health and metrics: on the operations listener alone when there is one. Credentials are
    /// optional.
    case operations
}

/// Whether a POST or PATCH takes `Idempotency-Key`.
enum IdempotencyRule: Sendable { case none, optional, required }

/// One route: where it is, who may call it, what it does, and how it is documented.
struct Endpoint: Sendable {
    let method: Method
    let path: String
    let access: Access
    let action: Action
    var about: Contract
    var idempotency: IdempotencyRule
    var bodyBytesMax: Int?
    /// The member of the answer that is shown once: neither stored for a replay nor shown by a dry
    /// run.
    var secretMember: String?
}

/// What `/openapi.json` says of an endpoint; its query and body parts also check what comes in.
struct Contract: Sendable {
    let operationID: String
    let summary: String
    var query: [Field] = []
    var body: Schema?
    /// Media types of the body; JSON unless said otherwise.
    var bodyTypes = ["application/json"]
    /// Whether the dispatcher parses and checks the body as JSON. Forms do it themselves.
    var parsesBody = true
    var success: Int = 200
    var answer: Schema?
    var answerType = "application/json"
    /// Further statuses with their meaning, beside the common ones.
    var others: [(status: Int, meaning: String)] = []
    /// Refusals of its own, each as an example under its status.
    var refusals: [Problem] = []
    /// Refusals that people see, as a page.
    var pages: Set<Int> = []
    /// Whether it takes `Dry-Run` by itself, where it is no write of one transaction.
    var takesDryRun = false
    /// Whether unknown query parameters are kept instead of refused.
    var keepsUnknownQuery = false
}

/// A list of routes, read like a table.
struct RouteTable {
    private(set) var endpoints: [Endpoint] = []

    mutating func add(
        _ method: Method, _ path: String, _ access: Access, _ action: Action, _ about: Contract
    ) {
        var rule = IdempotencyRule.none
        if action.isWrite, method == .post || method == .patch, path.hasPrefix("/v1/") {
            rule = .optional
        }
        var about = about
        if path.hasPrefix("/v1/") { about.answer = about.answer?.withExpansions }
        if action.isShortRead, method == .get, path.hasPrefix("/v1/"),
            let parameter = Expansion.parameter(about.answer)
        {
            about.query.append(parameter)
        }
        endpoints.append(
            Endpoint(
                method: method, path: path, access: access, action: action, about: about,
                idempotency: rule))
    }

    /// Changes the endpoint added last.
    mutating func amend(_ change: (inout Endpoint) -> Void) {
        guard !endpoints.isEmpty else { return }
        change(&endpoints[endpoints.count - 1])
    }
}
