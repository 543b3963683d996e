import Database
import HTTP
import Model

extension InvalidTransition: ProblemConvertible {
    var problem: Problem { .invalidTransition(from: state, allowed: allowed) }
}

extension MoneyError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .overflow:
            .unprocessable("amount_too_large", "The amounts add up to more than can be kept.")
        case .currencyMismatch:
            .unprocessable("currency_mismatch", "The amounts are in different currencies.")
        }
    }
}

/// What went wrong, as the client hears it and as the log names it.
enum Failure {
    /// The answer to `error`, and a line for the log when the world, not the client, failed.
    static func answer(to error: any Error, requestID: String) -> (response: Response, log: String?)
    {
        switch error {
        case let refused as Refused:
            return (refused.problem.response(requestID: requestID), nil)
        case let refusal as any ProblemConvertible:
            return (refusal.problem.response(requestID: requestID), nil)
        case let fault as DatabaseFault:
            return (problem(of: fault).response(requestID: requestID), String(describing: fault))
        default:
            return (
                Problem.internalError().response(requestID: requestID),
                "unexpected \(type(of: error))"
            )
        }
    }

    static func problem(of fault: DatabaseFault) -> Problem {
        if fault.isFull {
            return .unavailable(
                "storage_full", "There is no space left to record this. Nothing was changed.",
                retryAfter: 30)
        }
        if fault.isRetryable {
            return .unavailable(
                "storage_unavailable", "This could not be recorded. Nothing was changed; try again."
            )
        }
        return .internalError()
    }

    static let busy = Problem.unavailable(
        "overloaded", "Too many requests are waiting. Nothing was changed; try again.")
}
