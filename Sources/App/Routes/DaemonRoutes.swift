import Database
import HTTP
import JSON
import Platform
import RewardLedger

/// What the commands ask of a running daemon, through its private Unix socket alone.
enum DaemonRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.post, "/daemon/backup", .privateSocket, .background(backup), backing)
        routes.add(.post, "/daemon/verify", .privateSocket, .background(verify), verification)
    }

    private static func backup(_ call: Call, _ app: Application, _ reply: Reply) throws {
        let path = try call.body.requiredText("path")
        try inBackground(call, app, reply) {
            try Backup.write(app.database, to: path)
            return ["object": "backup", "path": .string(path)]
        }
    }

    private static func verify(_ call: Call, _ app: Application, _ reply: Reply) throws {
        let saved = call.body.text("head").flatMap { LedgerHead($0) }
        let receiptsHead = call.body.text(KeptReceiptsHead.member).flatMap {
            KeptReceiptsHead.parse($0)
        }
        try inBackground(call, app, reply) {
            try Proof.of(app.database.makeReader(), against: saved, receiptsHead: receiptsHead).json
        }
    }

    /// Runs one of these at a time, on a thread of its own.
    private static func inBackground(
        _ call: Call, _ app: Application, _ reply: Reply,
        _ work: @escaping @Sendable () throws -> JSONValue
    ) throws {
        let isFree = app.lifecycle.withLock { lifecycle in
            defer { lifecycle.isMaintaining = true }
            return !lifecycle.isMaintaining
        }
        guard isFree else {
            throw Refused(.conflict("busy", "A backup or verification is running already."))
        }
        let requestID = call.request.id
        do {
            let thread = try Thread("maintenance") {
                let response = answer(to: work, app, requestID)
                // First: whoever has the answer may ask for the next.
                app.lifecycle.withLock { $0.isMaintaining = false }
                reply.send(response)
            }
            thread.detach()
        } catch {
            app.lifecycle.withLock { $0.isMaintaining = false }
            throw error
        }
    }

    private static func answer(
        to work: () throws -> JSONValue, _ app: Application, _ requestID: String
    ) -> Response {
        do {
            return .object(try work().encoded())
        } catch BackupRefusal.targetExists {
            return Problem.conflict("target_exists", "\(BackupRefusal.targetExists)")
                .response(requestID: requestID)
        } catch let error as SystemError {
            // Most often a directory that is not there, or not the service's to write to.
            return Problem.unprocessable("backup_failed", "the copy cannot be written: \(error)")
                .response(requestID: requestID)
        } catch {
            app.log.write(.error, "maintenance failed: \(error)", [("request_id", requestID)])
            return Problem(status: 500, code: "failed", detail: "\(error)")
                .response(requestID: requestID)
        }
    }

    private static let backing = Contract(
        operationID: "backup", summary: "Write a consistent copy.",
        body: .object([.required("path", .text(1...4000))]))

    private static let verification = Contract(
        operationID: "verify", summary: "Prove the database and the ledger.",
        body: .object([
            .optional("head", LedgerHeadWire.line),
            .optional(
                KeptReceiptsHead.member,
                .string(
                    TextRule(66...84, pattern: "^[0-9]{1,19}:[0-9a-f]{64}$") {
                        KeptReceiptsHead.parse($0) != nil
                    })),
        ]))
}
