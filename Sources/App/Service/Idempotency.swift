import Crypto
import Database
import HTTP
import JSON
import Model
import Programs
import Records

/// `Idempotency-Key` of one request: what it is looked up by, and what the request was.
struct IdempotencyToken: Sendable {
    /// Of (who, method, path, key), never the key alone: nobody reads another's answer.
    let key: [UInt8]
    /// Of method, path, query, `If-Match` and the exact body: with another condition it is another
    /// request (RFC 9110 section 13.1.1).
    let fingerprint: [UInt8]

    /// Nil without the header. Throws 400 for a malformed key, or when one is required.
    init?(_ call: Call, rule: IdempotencyRule) throws {
        guard rule != .none else { return nil }
        let request = call.request
        guard let field = request.header("idempotency-key") else {
            if rule == .required {
                throw Refused(
                    .badRequest(
                        "idempotency_key_required",
                        "This request moves money and needs an Idempotency-Key."))
            }
            return nil
        }
        guard let text = IdempotencyToken.text(of: field) else {
            throw Refused(
                .badRequest(
                    "bad_idempotency_key",
                    "Idempotency-Key must be 1 to 255 visible ASCII characters without a quote, in "
                        + "quotes or bare."))
        }
        let target = "\(request.method.rawValue)\n\(request.path)\n"
        key = Array(
            SHA256.hash(Array("\(call.principal.actor)\n\(target)\(text)".utf8)).prefix(16))
        let condition = request.header("if-match").map { "if-match: \($0)\n" } ?? ""
        fingerprint = SHA256.hash(
            Array("\(target)\(request.query)\n\(condition)".utf8) + request.body)
    }

    /// The key without its quotes: the draft types it as a quoted string, clients send it bare.
    static func text(of field: String) -> String? {
        var bytes = Array(field.utf8)
        if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
            bytes.removeFirst()
            bytes.removeLast()
        }
        guard (1...255).contains(bytes.count),
            bytes.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A dry run is over: thrown so that everything it did rolls back. Carries its answer.
struct DryRunEnded: Error {
    let response: Response
}

/// One write inside the writer's transaction: replay, effect or refusal, stored answer. A success
/// is stored under its key. A refusal is not: it changed nothing, and the same key may try again
/// once the state allows it.
struct WriteRun: Sendable {
    let step: WriteStep
    let token: IdempotencyToken?
    let isDryRun: Bool
    let requestID: String
    /// The member that is shown once and never stored.
    let secretMember: String?

    /// Largest answer that is kept for a replay.
    static let answerBytesMax = 1 << 20

    func callAsFunction(_ tx: Transaction) throws -> Response {
        if isDryRun {
            var response = try effectOrRefusal(tx)
            response.body = withoutSecret(response.body)
            response.headers.append(("Dry-Run", "true"))
            throw DryRunEnded(response: response)
        }
        guard let token else { return try effectOrRefusal(tx) }
        if let stored = try IdempotencyStore.find(token.key, tx) { return replay(stored, token) }
        let response = try effectOrRefusal(tx)
        guard response.status < 400 else { return response }
        guard response.body.count <= WriteRun.answerBytesMax else {
            throw Refused(
                .unprocessable(
                    "answer_too_large", "The answer is too large to be kept for a replay."))
        }
        let headers = response.headers.map { "\($0.0): \($0.1)" }.joined(separator: "\n")
        try IdempotencyStore.insert(
            StoredAnswer(
                fingerprint: token.fingerprint, status: response.status, headers: headers,
                body: withoutSecret(response.body)), under: token.key, tx)
        return response
    }

    /// The step's answer; or, when it refuses, the refusal's, with the step's effects undone and
    /// the refusal's evidence kept.
    private func effectOrRefusal(_ tx: Transaction) throws -> Response {
        do {
            return try step(tx)
        } catch let refused as Refused {
            try tx.undo()
            try refused.evidence?(tx)
            return refused.problem.response(requestID: requestID)
        } catch let refusal as any ProblemConvertible {
            try tx.undo()
            return refusal.problem.response(requestID: requestID)
        }
    }

    private func replay(_ stored: StoredAnswer, _ token: IdempotencyToken) -> Response {
        guard stored.fingerprint == token.fingerprint else {
            return Problem.unprocessable(
                "idempotency_key_reused", "This Idempotency-Key was used for another request."
            ).response(requestID: requestID)
        }
        var response = Response(status: stored.status, body: stored.body)
        for line in stored.headers.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            response.headers.append((String(line[..<colon]), String(value)))
        }
        response.headers.append(("Idempotent-Replayed", "true"))
        return response
    }

    private func withoutSecret(_ body: [UInt8]) -> [UInt8] {
        guard let secretMember, let value = try? JSONValue.parse(body),
            var object = value.objectValue, object[secretMember] != nil
        else { return body }
        object[secretMember] = .null
        return JSONValue.object(object).encoded()
    }
}
