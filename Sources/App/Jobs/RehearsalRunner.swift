import Attribution
import Database
import HTTP
import JSON
import Model
import Platform
import Programs

/// Computes rehearsals one after the other, on a thread of its own with low priority: in short
/// reads, with its progress and result going through the writer. What was under way when the
/// service stopped begins again.
final class RehearsalRunner: Sendable {
    private let app: Application
    private let isStopping = Locked(false)
    private let wake: WakeUp

    /// Conversions of one read, so that no snapshot is kept for long.
    private static let sliceConversions = 200
    /// Conversions between two notes of the progress.
    private static let noteConversions: Int64 = 2_000
    /// Longest time between two looks for something to do.
    private static let restMilliseconds: Int64 = 1_000

    init(_ app: Application) throws {
        self.app = app
        wake = try WakeUp()
    }

    func start() throws -> Thread {
        try Thread("rehearsals") { [self] in
            lowerThreadPriority()
            // Kept from look to look: a new connection would read the whole schema each time.
            var reader: Reader?
            while !isStopping.withLock({ $0 }) {
                if !runNext(&reader) { wake.wait(milliseconds: Self.restMilliseconds) }
            }
        }
    }

    func stop() {
        isStopping.withLock { $0 = true }
        wake.raise()
    }

    /// Computes the oldest that is open. False when there is none, or it could not be done now.
    private func runNext(_ kept: inout Reader?) -> Bool {
        do {
            let reader = try kept ?? app.database.makeReader()
            kept = reader
            guard let rehearsal = try RehearsalStore.next(reader) else { return false }
            do {
                try run(rehearsal, reader)
            } catch let fault as DatabaseFault where fault.isRetryable {
                throw fault
            } catch {
                let reason = BulkRequest.problem(of: error)?.detail ?? "\(type(of: error))"
                app.log.write(.error, "a rehearsal could not be done: \(type(of: error))")
                try note(rehearsal) { rehearsal in
                    rehearsal.state = .failed
                    rehearsal.reason = reason
                }
            }
            return true
        } catch {
            kept = nil
            app.log.write(.error, "rehearsals could not be done: \(type(of: error))")
            return false
        }
    }

    private func run(_ rehearsal: Rehearsal, _ reader: Reader) throws {
        guard let program = try ProgramStore.find(rehearsal.program, reader) else { return }
        let change = try RehearsalChange(Body(rehearsal.change.objectValue ?? [:]))
        var replay = try RehearseProgram(change, program, reader)
        var place: (Instant, Int64)?
        var noted: Int64 = -1
        while !isStopping.withLock({ $0 }) {
            let isEnd = try reader.snapshot {
                let slice = try RehearsalStore.slice(
                    in: rehearsal.program, rehearsal.period, after: place,
                    limit: Self.sliceConversions, reader)
                for item in slice {
                    try replay.add(item.id, reader)
                    yieldThread()
                }
                place = slice.last?.place ?? place
                return slice.count < Self.sliceConversions
            }
            let processed = replay.processed
            if isEnd {
                let result = replay.result
                try note(rehearsal) { rehearsal in
                    rehearsal.state = .done
                    rehearsal.processed = processed
                    rehearsal.conversions = processed
                    rehearsal.result = result
                }
                return
            }
            if noted < 0 || processed - noted >= Self.noteConversions {
                noted = processed
                let isOpen = try note(rehearsal) { rehearsal in
                    rehearsal.state = .running
                    rehearsal.processed = processed
                }
                // Somebody has cancelled it.
                if !isOpen { return }
            }
        }
    }

    /// Writes what has become of it, unless it was decided about meanwhile: false then.
    @discardableResult
    private func note(
        _ rehearsal: Rehearsal, _ change: @escaping @Sendable (inout Rehearsal) -> Void
    ) throws -> Bool {
        try app.database.perform { tx in
            guard var current = try RehearsalStore.find(rehearsal.id, tx), current.state.isOpen
            else { return false }
            change(&current)
            current.version += 1
            current.updatedAt = tx.now
            try RehearsalStore.update(current, tx)
            return true
        }
    }
}
