import Database
import HTTP
import JSON
import Model
import Platform
import Programs

/// Health, metrics, version and contract: what operations curl.
enum OperationsRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(.get, "/livez", .operations, .service(live), health("getLiveness", "Alive."))
        routes.add(.get, "/healthz", .operations, .service(live), health("getHealth", "As /livez."))
        routes.add(
            .get, "/readyz", .operations, .service(ready),
            health("getReadiness", "Whether requests can be served; names what is wrong."))
        routes.add(.get, "/metrics", .operations, .serviceRead(metrics), metering)
        routes.add(.get, "/version", .everyone, .service(version), versioning)
        routes.add(.get, "/openapi.json", .everyone, .service(contract), contracting)
    }

    private static func live(_ call: Call, _ app: Application) -> Response {
        .health(200, [("status", "ok")])
    }

    private static func ready(_ call: Call, _ app: Application) -> Response {
        let reasons = app.unreadiness
        if reasons.isEmpty {
            return .health(
                200, [("status", "ready")], warning: app.configuration.publicURLWarning)
        }
        return Problem.unavailable("not_ready", reasons.joined(separator: "; "))
            .response(requestID: call.request.id)
    }

    /// Technical series for everybody; business series on the operations listener or with a key.
    private static func metrics(
        _ call: Call, _ app: Application, _ reader: Reader
    ) throws -> Response {
        let isTrusted =
            app.configuration.isOperations(call.request.listener)
            || call.principal.may(.read)
        var exposition = Exposition()
        Metrics.write(app, reader, withBusiness: isTrusted, to: &exposition)
        var response = Response(status: 200, body: exposition.bytes)
        response.headers = [
            ("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
            ("Cache-Control", "no-store"),
        ]
        return response
    }

    private static func version(_ call: Call, _ app: Application) -> Response {
        .health(
            200,
            [
                ("version", Version.number), ("sqlite", DatabaseStatistics.sqliteVersion),
            ])
    }

    private static func contract(_ call: Call, _ app: Application) -> Response {
        Response(
            status: 200, headers: [("Content-Type", "application/json")],
            content: .shared(app.contract))
    }

    private static func health(_ operationID: String, _ summary: String) -> Contract {
        Contract(
            operationID: operationID, summary: summary,
            answer: .named(
                "Health",
                .object([
                    .required("status", .text(1...20)),
                    .optional(
                        "warnings", .list(.text(1...500), count: 1...10),
                        "What an operator should mend, though requests are served."),
                ])),
            keepsUnknownQuery: true)
    }

    private static let metering = Contract(
        operationID: "getMetrics",
        summary: "Prometheus text format 0.0.4. Business series need a key with read, or the "
            + "operations address.", answerType: "text/plain", keepsUnknownQuery: true)

    private static let versioning = Contract(
        operationID: "getVersion", summary: "What runs here.",
        answer: .object([
            .required("version", .text(1...40)), .required("sqlite", .text(1...40)),
        ]), keepsUnknownQuery: true)

    private static let contracting = Contract(
        operationID: "getContract", summary: "This document.", answer: .anything,
        keepsUnknownQuery: true)
}

extension Response {
    fileprivate static func health(
        _ status: Int, _ members: [(String, String)], warning: String? = nil
    ) -> Response {
        var json = JSONWriter(capacity: 128)
        json.object { object in
            for (name, value) in members { object.field(name, value) }
            if let warning { object.array("warnings") { $0.element(warning) } }
        }
        return .object(json.bytes, status: status)
    }
}

extension Application {
    /// What keeps this service from serving; empty when nothing does.
    var unreadiness: [String] {
        var reasons: [String] = []
        if lifecycle.withLock({ $0.isDraining }) { reasons.append("the service is stopping") }
        let health = database.health
        if !health.writable { reasons.append(health.reason ?? "the database cannot be written") }
        return reasons
    }
}
