import JSON
import Model

/// What one report of a sale said of when it was, who bought and who referred it. A shop's server
/// and its page may both report a sale: its credit is decided from what all of them said. Personal:
/// it names the customer, and people type addresses into hints.
public struct SaleReport: Sendable, Equatable {
    public let occurredAt: Instant?
    /// The customer, in the operator's words, and its normalised address.
    public let customerID: String?
    public let email: String?
    /// The hints that could be read, under their names.
    public let hints: JSONValue

    /// Kept of one sale; further ones add nothing.
    public static let most = 20

    public init(
        occurredAt: Instant?, customerID: String?, email: String?, hints: JSONObject
    ) {
        self.occurredAt = occurredAt
        self.customerID = customerID
        self.email = email
        self.hints = .object(hints)
    }

    /// Whether `other` says nothing beside what this one says.
    public func covers(_ other: SaleReport) -> Bool {
        (other.occurredAt == nil || other.occurredAt == occurredAt)
            && (other.customerID == nil || other.customerID == customerID)
            && (other.email == nil || other.email == email)
            && (other.hints.objectValue?.isEmpty == true || other.hints == hints)
    }

    private init(_ json: JSONValue) {
        let read = TermsReader(json.objectValue)
        occurredAt = read.integer("occurred_at").map { Instant(milliseconds: $0) }
        customerID = read.text("customer_id")
        email = read.text("email")
        hints = .object(read.nested("hints") ?? [:])
    }

    private var json: JSONValue {
        var object = JSONObject()
        object["occurred_at"] = occurredAt.map { .integer($0.milliseconds) }
        object["customer_id"] = customerID.map { .string($0) }
        object["email"] = email.map { .string($0) }
        if hints.objectValue?.isEmpty == false { object["hints"] = hints }
        return .object(object)
    }

    static func stored(_ reports: [SaleReport]) -> String {
        JSONValue.array(reports.map(\.json)).text
    }

    static func read(_ text: String) throws -> [SaleReport] {
        try JSONValue.parse(Array(text.utf8)).arrayValue?.map { SaleReport($0) } ?? []
    }
}

/// Why a report of a known sale is refused, and when it still decides.
extension ConversionRules {
    /// How long a further report of a sale decides about its credit, from the first report on.
    public static let openHours: Int64 = 24

    /// A further report must say the same as all before it; what it leaves out agrees, what they
    /// lacked is added, and hints say nothing that could differ. Two channels tell a sale's time
    /// with less than a day between them.
    public static func checkSame(
        _ known: Conversion, _ reports: [SaleReport], as said: SaleReport,
        kind: Conversion.Kind, amount: Money, lead: LeadID? = nil, product: String? = nil,
        subscription: String? = nil
    ) throws(ConversionRefusal) {
        if known.kind != kind { throw .differs(field: "kind") }
        if known.amount != amount { throw .differs(field: "amount") }
        if reports.contains(where: {
            differ($0.customerID, said.customerID) || differ($0.email, said.email)
        }) {
            throw .differs(field: "customer")
        }
        if differ(known.lead, lead) { throw .differs(field: "lead_id") }
        if differ(known.product, product) { throw .differs(field: "product") }
        if differ(known.subscription, subscription) { throw .differs(field: "subscription") }
        let times = (reports + [said]).compactMap(\.occurredAt)
        if let first = times.min(), let last = times.max(), last >= first.advanced(byDays: 1) {
            throw .differs(field: "occurred_at")
        }
    }

    private static func differ<Value: Equatable>(_ one: Value?, _ other: Value?) -> Bool {
        guard let one, let other else { return false }
        return one != other
    }
}
