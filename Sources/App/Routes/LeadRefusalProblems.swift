import HTTP
import JSON
import LeadRegistration
import Model

extension LeadRefusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .timeToldByParticipant:
            Problem(
                status: 403, code: "time_not_taken",
                detail: "A participant's token refers now; referred_at is for the operator's keys.",
                errors: [
                    FieldError(
                        pointer: "/referred_at", code: "not_allowed",
                        detail: "is not taken from a participant's token")
                ])
        case .otherNamedByParticipant:
            .invalidField(
                "/referrer_email", code: "not_taken",
                detail: "A participant's token refers for itself; leave referrer_email out.")
        case .programMissing:
            .unprocessable(
                "program_required",
                "Name the program_id, or a participant_id, click_id, ref or code that has one.",
                at: "/program_id")
        case .unknownReference(let reference):
            .unknownReference("/\(reference.rawValue)")
        case .notPossible(let transition):
            transition.problem
        case .valueCurrency:
            .unprocessable(
                "currency_mismatch", "value must be in the program's currency.",
                at: "/value/currency")
        case .followUpNotLater:
            .unprocessable(
                "follow_up_not_later", "follow_up_at must be in the future.", at: "/follow_up_at")
        case .referredLater:
            .unprocessable(
                "referred_later", "referred_at must not be in the future.", at: "/referred_at")
        case .notValid(let rules):
            Problem(
                status: 409, code: "lead_not_valid",
                detail: "The lead breaks rules of the program; qualify it with an override_reason.",
                extra: [("rules", .array(rules.map { .string($0.rawValue) }))])
        case .checklistIncomplete(let missing, let minimum):
            Problem(
                status: 409, code: "checklist_incomplete",
                detail: "\(minimum) items of the program's checklist must be confirmed.",
                extra: [("missing", .array(missing.map { .string($0.rawValue) }))])
        case .notAnOpportunity:
            .conflict("not_an_opportunity", "lead_id names no opportunity of this program.")
        }
    }
}
