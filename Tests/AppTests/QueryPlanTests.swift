import Database
import Foundation
import Testing

@testable import App
@testable import Database

/// Holds every statement in the sources to the way that SQLite would go: whatever a loop, the
/// writer or a slice of a job runs must not walk over a table that grows. What walks all the same
/// is listed here, with where it runs or what bounds it.
struct QueryPlanTests {
    /// Tables that stay small however long the service runs: what an operator sets up, and what has
    /// one row. Every other table grows.
    private static let small: Set<String> = [
        "programs", "reward_rules", "campaigns", "catalog_items", "rehearsals", "payout_runs",
        "feeds", "schema_migrations", "writer_clock", "copy_mark", "signing_keys", "trace_keys",
        "visitor_salts",
    ]

    /// `File.function`, and why it may walk.
    private static let allowed: [String: String] = [
        "APIKeyStore.count": "once, before the first key is made",
        "BenefitStore.query": "a page ends it, and a loop interrupts a rare filter (StepBudget)",
        "ClickStore.clicks": "in the pool for long reads; by the clicks' key, which is their time",
        "IdempotencyStore.prune": "the inner LIMIT",
        "JournalStore.imbalance": "a metric: the loop hands it to the pool once it is long",
        "JournalReads.trialBalance": "in the pool for long reads",
        "LedgerVerifier.checkAccounts": "verify: in the pool or a command",
        "LedgerVerifier.checkOwners": "verify",
        "LedgerVerifier.checkReferences": "verify",
        "LedgerVerifier.checkReserves": "verify",
        "LedgerVerifier.checkRewards": "verify",
        "LedgerVerifier.walkChain": "verify",
        "PayoutStore.query": "a page ends it, or an export in the pool goes over all",
        "ReceiptVerifier.findMissing": "verify",
        "ReceiptVerifier.walk": "verify",
        "RedemptionStore.forEach": "verify",
        "ReferredStore.firstTouches": "the LIMIT, over rows by their key",
        "RefundVerifier.faults": "verify",
        "RewardObstacle.overdueRewards": "the inner LIMIT",
        "UnknownCodes.begin": "it deletes what it walks over",
        "RewardStore.query": "a page ends it, or an export in the pool goes over all",
    ]

    private struct Statement {
        let place: String
        let text: String
        /// A page of a list: a loop interrupts it where its filter is rare (`StepBudget`).
        let isPage: Bool
    }

    @Test("no statement walks over a table that grows")
    func plans() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "plans-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "plans.db").path
        let database = try Database(path: path, migrations: Application.migrations)
        defer { database.close() }
        let connection = try Connection(path: path, access: .reader, busyMilliseconds: 1_000)
        let tables = try Set(
            Reader(connection).all("SELECT name FROM sqlite_schema WHERE type = 'table'") {
                try $0.text(0)
            })
        #expect(Self.small.isSubset(of: tables), "\(Self.small.subtracting(tables))")

        let statements = try Self.statements()
        #expect(statements.count > 350)
        var puzzles: Set<String> = []
        for statement in statements {
            guard let plan = Self.plan(of: statement.text, connection) else {
                puzzles.insert(statement.place)
                continue
            }
            guard let walk = Self.walk(plan, statement) else { continue }
            let isAllowed = Self.allowed[statement.place] != nil
            #expect(isAllowed, "\(statement.place) \(walk): \(statement.text)")
        }
        // Put together from fragments in a way that this test does not follow: few may be.
        #expect(puzzles.count <= 20, "\(puzzles.sorted())")
    }

    // MARK: - Plans

    private static func plan(of text: String, _ connection: Connection) -> [String]? {
        guard let statement = try? connection.statement(text: "EXPLAIN QUERY PLAN " + text) else {
            return nil
        }
        let nothing = [any SQLConvertible](
            repeating: Int64?.none, count: statement.parameterCount)
        return try? statement.run(nothing) { statement in
            var lines: [String] = []
            while try statement.step() {
                lines.append(try Row(statement: statement.handle).text(3))
            }
            return lines
        }
    }

    /// The first line of the plan that walks over a table that grows.
    private static func walk(_ plan: [String], _ statement: Statement) -> String? {
        let words = statement.text.split { $0.isWhitespace || $0 == "(" || $0 == ")" || $0 == "," }
            .map(String.init)
        let flat = words.joined(separator: " ")
        let isSorted = plan.contains { $0.contains("TEMP B-TREE") }
        let hasFilter =
            flat.contains("WHERE") && !flat.contains("WHERE 1 = 1 ORDER")
            && !flat.contains("WHERE 1 = 1 AND seq")
        return plan.first { line in
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count > 1, !isSmall(parts[1], words) else { return false }
            switch parts[0] {
            case "SCAN":
                // In the order of a key up to a limit it walks over what it returns.
                return hasFilter || isSorted || !flat.contains("LIMIT")
            case "SEARCH":
                guard line.contains("PRIMARY KEY (rowid"), !line.contains("(rowid=?") else {
                    return false
                }
                // A range of the key alone, and a filter that nothing selects by.
                let isBounded = line.contains("rowid>? AND rowid<?")
                let filters = flat.components(separatedBy: " WHERE ").dropFirst()
                    .joined(separator: " ")
                let others = filters.components(separatedBy: " AND ").filter {
                    !$0.hasPrefix("seq") && !$0.hasPrefix("1 = 1") && !$0.contains(".seq")
                }
                return !statement.isPage && !isBounded && !others.isEmpty
            default: return false
            }
        }
    }

    private static func isSmall(_ name: String, _ words: [String]) -> Bool {
        if name == "CONSTANT" || name.hasPrefix("(") || name.hasPrefix("json") { return true }
        // An alias stands after its table.
        let table =
            words.indices.dropFirst().first { words[$0] == name && words[$0 - 1] != "JOIN" }
            .map { place in
                words[place - 1] == "AS"
                    ? words[place - 2]
                    : ["FROM", "UPDATE", "INTO"].contains(words[place - 1])
                        ? name : words[place - 1]
            } ?? name
        return small.contains(name) || small.contains(table)
    }

    // MARK: - Statements

    private static var sources: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
    }

    private static func statements() throws -> [Statement] {
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        var found: [Statement] = []
        for case let file as URL in files ?? .init()
        where file.pathExtension == "swift" && file.lastPathComponent != "Migrator.swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            guard text.contains("SELECT") || text.contains("UPDATE") || text.contains("DELETE")
            else { continue }
            let name = file.deletingPathExtension().lastPathComponent
            let parts = members(of: text)
            let columns = parts.first { $0.name == "columns" }.flatMap {
                literals(in: $0.body).first?.text
            }
            for member in parts where member.name != "columns" {
                let body = member.body.replacing(".appendList(", with: ".append(\" (?, ?)\", ")
                for (text, isPage) in statements(in: body, columns: columns) {
                    found.append(
                        Statement(place: "\(name).\(member.name)", text: text, isPage: isPage))
                }
            }
        }
        return found
    }

    /// The members of the types in a file, cut where the next one is declared.
    private static func members(of text: String) -> [(name: String, body: String)] {
        var found: [(name: String, body: [Substring])] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let isMember = line.hasPrefix("    ") && !line.hasPrefix("     ")
            let words = line.split(separator: " ")
            if isMember,
                let place = words.firstIndex(where: { ["func", "let", "var", "init"].contains($0) }
                ),
                place + 1 < words.count
            {
                let name = words[place + 1].prefix { $0.isLetter || $0.isNumber }
                found.append((String(name), []))
            }
            if !found.isEmpty { found[found.count - 1].body.append(line) }
        }
        return found.map { ($0.name, $0.body.joined(separator: "\n")) }
    }

    /// Its literals as they are, or what it puts together: without what is optional, and with each
    /// of what is.
    private static func statements(
        in body: String, columns: String?
    ) -> [(text: String, isPage: Bool)] {
        let found = literals(in: body)
        guard let query = body.range(of: "Query(") else {
            return found.filter { isStatement($0.text) }.map { ($0.text, false) }
        }
        let isPage = body.contains(".page(query")
        let namesColumns = body[query.upperBound...].hasPrefix("columns")
        let start = body.distance(from: body.startIndex, to: query.lowerBound)
        var parts = found.filter { $0.offset > start }
        guard let base = namesColumns ? columns : parts.first?.text else { return [] }
        if !namesColumns { parts.removeFirst() }
        let fragments = parts.filter { $0.isAppended }
        let end = isPage ? " AND seq < ? ORDER BY seq DESC LIMIT ?" : ""
        func text(with place: Int?) -> String {
            base
                + fragments.indices.filter { !fragments[$0].isOptional || $0 == place }
                .map { " " + fragments[$0].text }.joined() + end
        }
        let places = fragments.indices.filter { fragments[$0].isOptional }
        return ([nil] + places.map { Optional($0) }).map { (text(with: $0), isPage) }
    }

    private static func isStatement(_ text: String) -> Bool {
        ["SELECT ", "UPDATE ", "DELETE ", "INSERT ", "WITH "].contains { text.hasPrefix($0) }
            && !text.hasPrefix("WITH RECURSIVE")
    }

    private struct Literal {
        let text: String
        let offset: Int
        let isAppended: Bool
        let isOptional: Bool
    }

    private static func literals(in body: String) -> [Literal] {
        var found: [Literal] = []
        let characters = Array(body)
        var place = 0
        func matches(_ text: String, at index: Int) -> Bool {
            index >= 0 && index + text.count <= characters.count
                && Array(text) == Array(characters[index..<(index + text.count)])
        }
        while place < characters.count {
            guard characters[place] == "\"" else {
                place += 1
                continue
            }
            let quote = matches("\"\"\"", at: place) ? "\"\"\"" : "\""
            let begin = place + quote.count
            var end = begin
            while end < characters.count, !matches(quote, at: end) {
                end += characters[end] == "\\" ? 2 : 1
            }
            guard end < characters.count else { break }
            let before = String(characters[..<place])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let line = before.split(separator: "\n").last.map(String.init) ?? ""
            let lead = line.trimmingCharacters(in: .whitespaces)
            let indent = line.prefix { $0 == " " }.count
            found.append(
                Literal(
                    text: String(characters[begin..<end])
                        .trimmingCharacters(in: .whitespacesAndNewlines), offset: place,
                    isAppended: before.hasSuffix(".append("),
                    isOptional: lead.hasPrefix("if ") || lead.hasPrefix("}") || indent > 8))
            place = end + quote.count
        }
        return found
    }
}
