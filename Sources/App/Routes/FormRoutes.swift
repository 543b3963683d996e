import Database
import HTTP
import LeadRegistration
import Model
import Platform
import Programs

/// `/f/{program_id}`: the referral form of a program, for browsers without script and for scripts.
enum FormRoutes {
    /// The largest form: every field at its most is some 6 KB, or 20 KB when all of it is escaped.
    private static let bodyBytesMax = 64 << 10

    static func add(to routes: inout RouteTable) {
        let path = "/f/{program_id}"
        routes.add(.get, path, .everyone, .read(show), showing)
        routes.add(.get, path + "/thanks", .everyone, .read(thanks), thanking)
        routes.add(.options, path, .everyone, .read(preflight), asking)
        routes.add(.post, path, .everyone, .serviceWrite(submit), posting)
        routes.amend { $0.bodyBytesMax = bodyBytesMax }
    }

    // MARK: - Handlers

    /// The form, with `ref`, `click_id`, the campaign and whatever else is named in the query
    /// filled in.
    private static func show(_ call: Call, _ reader: Reader) throws -> Response {
        let answers = FormAnswers(call)
        guard let program = try program(call, reader) else {
            return answers.refusal(.notFound(), isAllowed: false)
        }
        if let closed = refusal(of: program) {
            return answers.refusal(closed, isAllowed: false)
        }
        let pairs = PercentCoding.formDecode(call.request.query) ?? []
        return FormPage.form(
            program, values: FormPost(pairs.filter { $0.name != FormPost.honeypot }).values)
    }

    private static func thanks(_ call: Call, _ reader: Reader) throws -> Response {
        guard let program = try program(call, reader) else {
            return FormAnswers(call).refusal(.notFound(), isAllowed: false)
        }
        return FormPage.thanks(program)
    }

    private static func program(_ call: Call, _ reader: Reader) throws -> Program? {
        guard let id = call.parameters["program_id"].flatMap({ ProgramID($0) }) else { return nil }
        return try ProgramStore.find(id, reader)
    }

    private static func preflight(_ call: Call, _ reader: Reader) throws -> Response {
        guard let program = try program(call, reader) else { throw Refused(.notFound()) }
        let origin = FormOrigin(call.request, publicURL: call.publicURL)
        let isAllowed = origin.isAllowed(by: program.terms.allowedOrigins)
        guard isAllowed else {
            var response = foreign.response(requestID: call.request.id)
            response.headers += origin.headers(isAllowed: false)
            return response
        }
        var response = Response.noContent
        response.headers.append(("Allow", "GET, HEAD, POST, OPTIONS"))
        response.headers += origin.headers(isAllowed: true)
        if origin.text != nil { response.headers += FormOrigin.preflight }
        return response
    }

    private static func submit(_ call: Call, _ app: Application) throws -> WriteStep {
        let (address, finding) = app.clientAddress.client(of: call.request)
        app.forwards.note(finding, call.request.peer)
        let wait = app.formGate.admit(address, at: .now())
        let answers = FormAnswers(call)
        let fields = Result { try FormBody.fields(of: call.request) }
        let sender = SenderTraces(of: call.request, app)
        return { tx in
            guard let program = try program(call, tx) else {
                return answers.refusal(.notFound(), isAllowed: false)
            }
            // Who is turned away keeps what was typed.
            let typed = FormPost((try? fields.get()) ?? [])
            guard answers.origin.isAllowed(by: program.terms.allowedOrigins) else {
                return answers.refusal(foreign, typed, program, isAllowed: false)
            }
            if let wait { return answers.refusal(tooMany(wait), typed, program) }
            if let closed = refusal(of: program) {
                return answers.refusal(closed, typed, program)
            }
            return try record(fields, from: sender, program, answers, tx)
        }
    }

    /// Reads the post and records it. A refusal undoes what was written and becomes an answer here,
    /// because a browser is to get its form back.
    private static func record(
        _ fields: Result<[(name: String, value: String)], any Error>, from sender: SenderTraces?,
        _ program: Program, _ answers: FormAnswers, _ tx: Transaction
    ) throws -> Response {
        var post = FormPost([])
        do {
            post = FormPost(try fields.get())
            let lead = try post.submission(to: program.id, from: sender)(tx)
            return answers.success(lead, program)
        } catch let refused as Refused {
            try tx.undo()
            return answers.refusal(refused.problem, post, program)
        } catch let refusal as any ProblemConvertible {
            try tx.undo()
            return answers.refusal(refusal.problem, post, program)
        }
    }

    // MARK: - Refusals

    private static let foreign = Problem.forbidden(
        "This form was sent from a page that may not send it. You can send it from here.")

    private static func tooMany(_ seconds: Int) -> Problem {
        Problem(
            status: 429, code: "too_many_forms",
            detail: "Too many forms came from your network in a short time. Please send this one "
                + "again in \(max(1, (seconds + 59) / 60)) minutes; it is kept on this page.",
            headers: [("Retry-After", String(seconds))])
    }

    private static func refusal(of program: Program) -> Problem? {
        do throws(ProgramRefusal) {
            try ProgramRules.checkTakesLeads(program.state)
            return nil
        } catch {
            return error.problem
        }
    }

    // MARK: - Contracts

    private static let showing = Contract(
        operationID: "getForm", summary: "The program's referral form, as a page without script.",
        query: (FormPost.hidden + FormPost.campaign).map { .optional($0, .text(0...500)) },
        answerType: "text/html; charset=utf-8",
        others: [(409, "The program is not active.")], pages: [400, 404, 409],
        keepsUnknownQuery: true)

    private static let thanking = Contract(
        operationID: "getFormThanks", summary: "Where a form leads that names no page of its own.",
        answerType: "text/html; charset=utf-8", pages: [404], keepsUnknownQuery: true)

    private static let asking = Contract(
        operationID: "preflightForm", summary: "CORS preflight, by the program's allowed_origins.",
        success: 204, others: [(403, "The origin is not allowed.")], keepsUnknownQuery: true)

    private static let posting = Contract(
        operationID: "postForm",
        summary:
            "Post the referral form. A client that accepts HTML is sent on (303) or gets the form "
            + "back with what it typed; others get JSON. The same fields within ten minutes are "
            + "one lead.",
        body: FormPost.input, bodyTypes: FormBody.types, parsesBody: false, success: 201,
        answer: FormPost.answer,
        others: [
            (303, "Recorded; for a client that accepts HTML."),
            (403, "The origin is not allowed."), (409, "The program is not active."),
            (422, "Well-formed, but not possible."),
            (429, "Too many posts from this address; see Retry-After."),
        ], pages: [400, 403, 404, 409, 415, 422, 429], keepsUnknownQuery: true)
}
