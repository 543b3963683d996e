import Database
import HTTP
import JSON
import Model

/// An expected no, on its way to the client. The effects of the request roll back, its idempotency
/// key stays free, and `evidence` (what must be kept of the refusal) commits.
struct Refused: Error {
    let problem: Problem
    var evidence: (@Sendable (Transaction) throws -> Void)?

    init(_ problem: Problem, evidence: (@Sendable (Transaction) throws -> Void)? = nil) {
        self.problem = problem
        self.evidence = evidence
    }
}

/// A module's refusal, with its status and its words. Conformances switch over every case, so that
/// a new refusal does not compile without them.
protocol ProblemConvertible: Error {
    var problem: Problem { get }
}

typealias FieldError = Problem.FieldError

extension Problem {
    init(
        status: Int, code: String, detail: String, errors: [FieldError] = [],
        headers: [(String, String)] = [], extra: [(String, JSONValue)] = []
    ) {
        self.init(
            status, code, detail: detail, errors: errors, headers: headers, members: extra)
    }

    static func badRequest(_ code: String, _ detail: String) -> Problem {
        Problem(status: 400, code: code, detail: detail)
    }

    static func invalidField(_ pointer: String, code: String, detail: String) -> Problem {
        .invalid([FieldError(pointer: pointer, code: code, detail: detail)])
    }

    static func invalid(_ faults: [FieldError]) -> Problem {
        Problem(
            status: 400, code: "invalid_request", detail: first(faults), errors: faults)
    }

    /// The first fault as a sentence, and how many more there are.
    static func first(_ faults: [FieldError]) -> String {
        guard let fault = faults.first else { return "The request does not match its contract." }
        let place = fault.pointer.isEmpty ? "The body" : fault.pointer
        let others = faults.count - 1
        let more =
            others == 0
            ? ""
            : others == 1
                ? " One more fault is in errors."
                : " \(others) more faults are in errors."
        return "\(place) \(fault.detail).\(more)"
    }

    static func unauthorized(_ detail: String) -> Problem {
        Problem(
            status: 401, code: "unauthorized", detail: detail,
            headers: [("WWW-Authenticate", #"Bearer realm="referrald""#)])
    }

    static func forbidden(_ detail: String) -> Problem {
        Problem(status: 403, code: "forbidden", detail: detail)
    }

    static func notFound() -> Problem {
        Problem(status: 404, code: "not_found", detail: "There is no such object.")
    }

    /// A member of the body names an object that does not exist (or that the caller may not see).
    static func unknownReference(_ pointer: String) -> Problem {
        Problem(
            status: 404, code: "not_found",
            detail: "The request names an object that does not exist.",
            errors: [FieldError(pointer: pointer, code: "not_found", detail: "names no object")])
    }

    static func preconditionFailed() -> Problem {
        Problem(
            status: 412, code: "precondition_failed",
            detail: "The object has changed since the version named by If-Match.")
    }

    static func conflict(_ code: String, _ detail: String) -> Problem {
        Problem(status: 409, code: code, detail: detail)
    }

    /// An action that the state does not allow, with those that it does.
    static func invalidTransition(from state: String, allowed: [String]) -> Problem {
        Problem(
            status: 409, code: "invalid_transition",
            detail: "This is not possible in state \(state).",
            extra: [
                ("state", .string(state)), ("allowed", .array(allowed.map { .string($0) })),
            ])
    }

    /// `pointer` is the member that is to be changed, where there is one.
    static func unprocessable(
        _ code: String, _ detail: String, at pointer: String? = nil
    ) -> Problem {
        Problem(
            status: 422, code: code, detail: detail,
            errors: pointer.map { [FieldError(pointer: $0, code: code, detail: detail)] } ?? [])
    }

    static func unavailable(_ code: String, _ detail: String, retryAfter seconds: Int = 1)
        -> Problem
    {
        Problem(
            status: 503, code: code, detail: detail, headers: [("Retry-After", String(seconds))])
    }

    static func internalError() -> Problem {
        Problem(
            status: 500, code: "internal_error",
            detail: "Something went wrong here; the log names it under this request's id.")
    }
}
