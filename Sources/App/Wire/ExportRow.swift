import Database
import Model
import Programs
import RewardLedger

/// What every row of every export begins with, so that tables of different nouns can be put side by
/// side: ids with their names, and money in minor units and as a decimal.
struct ExportRow {
    static let columns = [
        "id", "reference", "status", "created_at", "program_id", "program_name", "participant_id",
        "participant_name", "participant_external_id", "currency", "amount", "amount_decimal",
    ]

    let id: String
    /// The operator's own name for it.
    let reference: String?
    let status: String
    let createdAt: Instant?
    let program: ProgramID
    let participant: ParticipantID?
    let currency: Currency?
    let amount: Int64?

    func write(_ names: ExportNames, _ table: inout CSVTable) throws {
        let who = try participant.flatMap { try names.participant($0) }
        table.text(id)
        table.text(reference)
        table.text(status)
        table.text(createdAt?.rfc3339)
        table.text(program.description)
        table.text(try names.program(program))
        table.text(participant?.description)
        table.text(who?.name)
        table.text(who?.externalID)
        table.text(currency?.code)
        table.amount(amount, currency)
    }

    /// For the summaries of exports.
    static func words(_ more: [String]) -> String {
        (columns + more).joined(separator: ", ")
            + ". Amounts are in minor units, those of …_decimal the same with the currency's "
            + "decimals. A text that a spreadsheet would take for a formula has an apostrophe "
            + "before it."
    }

    static let spreadsheet = Field.optional(
        "spreadsheet", .boolean,
        "true: the file begins with a byte order mark, so that spreadsheets read it as UTF-8.")
}

/// Names beside ids, each read once for a slice of an export.
final class ExportNames {
    private let reader: Reader
    private var participants: [ParticipantID: Participant?] = [:]
    private var programs: [ProgramID: String?] = [:]

    init(_ reader: Reader) { self.reader = reader }

    func participant(_ id: ParticipantID) throws -> Participant? {
        if let known = participants[id] { return known }
        let found = try reader.readable { try ParticipantStore.find(id, reader) } ?? nil
        participants[id] = .some(found)
        return found
    }

    func program(_ id: ProgramID) throws -> String? {
        if let known = programs[id] { return known }
        let found = (try reader.readable { try ProgramStore.find(id, reader) } ?? nil)?.name
        programs[id] = .some(found)
        return found
    }
}

extension CSVTable {
    /// In minor units and as a decimal: two cells.
    mutating func amount(_ amount: Int64?, _ currency: Currency?) {
        guard let amount, let currency else {
            text(nil)
            return text(nil)
        }
        number(amount)
        decimal(Money(amount: amount, currency: currency))
    }
}

extension Export {
    /// The next page of a list behind a place, oldest first, and the place of its last item; nil
    /// when no more follow.
    static func next<Item>(
        after place: Int64?, _ page: (PageRequest) throws -> Page<Item>,
        sequence: (Item) throws -> Int64?
    ) throws -> (items: [Item], next: Int64?) {
        let found = try page(
            PageRequest(limit: Export.rowsPerPage, window: .newer(than: place ?? 0)))
        guard found.hasMore, let last = found.items.first else {
            return (found.items.reversed(), nil)
        }
        return (found.items.reversed(), try sequence(last))
    }
}
