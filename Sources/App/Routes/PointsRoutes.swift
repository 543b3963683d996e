import Database
import HTTP
import JSON
import Model
import Programs
import RewardLedger

/// `/v1/participants/{id}/points`: a participant's loyalty points, as the journal has them.
enum PointsRoutes {
    static func add(to routes: inout RouteTable) {
        routes.add(
            .get, "/v1/participants/{id}/points", .keyOrParticipant(.read), .read(get), reading)
    }

    // MARK: - Handlers

    private static func get(_ call: Call, _ reader: Reader) throws -> Response {
        let id = try call.participantInPath(reader).id
        let balance = try SummaryReads.balance(of: id, .points, reader)
        var json = JSONWriter(capacity: 256)
        json.object { object in
            object.field("object", "points")
            object.field("participant_id", id)
            object.field("pending", balance.pending)
            object.field("available", balance.available)
            object.field("redeeming", balance.inPayout)
            object.field("redeemed", balance.paid)
            object.field("owed", balance.clawbackOwed)
        }
        return .object(json.bytes)
    }

    // MARK: - Contracts

    private static let reading = Contract(
        operationID: "getPoints",
        summary: "The participant's points. Balance and statement tell them too, in PTS.",
        answer: .named(
            "Points",
            .object([
                .required("object", .choice(["points"])),
                .required("participant_id", .id(ParticipantID.self)),
                .required("pending", .amount(from: 0), "Earned; on hold or in review."),
                .required("available", .amount(from: 0), "Approved, and not redeemed."),
                .required("redeeming", .amount(from: 0), "Given for what is not yet fulfilled."),
                .required("redeemed", .amount(from: 0), "Given for what was fulfilled."),
                .required(
                    "owed", .amount(from: 0),
                    "Redeemed for what was refunded; set off when points are redeemed next."),
            ])))
}
