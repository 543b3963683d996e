import Attribution
import HTTP
import JSON
import Model

extension ConversionRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .differs(let field):
            .taken(by: "This external_id was recorded with another \(field).", field)
        case .refundDiffers(let field):
            .taken(by: "This refund's external_id was recorded with another \(field).", field)
        case .reversalDiffers(let field):
            .taken(by: "This reversal's external_id was recorded with another \(field).", field)
        case .otherCurrency(let expected):
            .unprocessable(
                "currency_mismatch", "The amount must be in \(expected.code).",
                at: "/amount/currency")
        case .inTheFuture:
            .unprocessable("in_the_future", "occurred_at is later than now.", at: "/occurred_at")
        case .refundTooLarge(let whole):
            Problem(
                status: 422, code: "refund_too_large",
                detail: "The refund asks for more than the whole sale of \(whole.formatted). Give "
                    + "the amount on the same base as the sale (net or gross), or leave amount out "
                    + "to refund all of it. A sale of nothing can be cancelled: kind cancellation.",
                errors: [
                    FieldError(
                        pointer: "/amount", code: "too_large",
                        detail: "is more than the sale's amount")
                ], extra: [("conversion_amount", whole.json)])
        case .cancelled(let refund):
            Problem(
                status: 409, code: "sale_refunded",
                detail: "This sale is wholly refunded or cancelled. If it was paid after all, call "
                    + "POST /v1/refunds/\(refund)/reverse with the kind reinstated; if this is the "
                    + "old notice again, send the same occurred_at.",
                extra: [("refund_id", .string(refund.description))])
        case .reversedAlready(let externalID):
            Problem(
                status: 409, code: "refund_reversed",
                detail: "This refund was reversed already, under the external_id \(externalID).")
        case .tooManyParked(let most):
            .conflict(
                "too_many_parked", "\(most) refunds wait for this sale already; record the sale.")
        }
    }
}

extension Problem {
    fileprivate static func taken(by detail: String, _ field: String) -> Problem {
        Problem(
            status: 409, code: "external_id_taken", detail: detail,
            errors: [FieldError(pointer: "/\(field)", code: "differs", detail: "differs")])
    }
}
