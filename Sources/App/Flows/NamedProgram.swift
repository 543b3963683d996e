import Database
import Model
import Programs

/// The program of what a request names.
enum NamedProgram {
    /// Everything named must belong to one program, which must have begun. `required` and `differs`
    /// are the words for when nothing names one, and when several do.
    static func get(
        _ named: [ProgramID?], required: String, differs: String, _ tx: Transaction
    ) throws -> Program {
        let named = named.compactMap { $0 }
        guard let first = named.first else {
            throw Refused(.unprocessable("program_required", required, at: "/program_id"))
        }
        guard named.allSatisfy({ $0 == first }) else {
            throw Refused(.conflict("program_differs", differs))
        }
        guard let program = try ProgramStore.recall(first, tx) else {
            throw Refused(.unknownReference("/program_id"))
        }
        if program.state == .draft { throw ProgramRefusal.notActive(state: .draft) }
        return program
    }
}
