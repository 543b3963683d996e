import JSON
import Model

/// One version of a program's terms, as it is kept for good, with who set those of them that hold
/// money back: what the first version has otherwise than by default, and what a later one changed.
/// So a version answers for all before it. Those of earlier releases name nobody.
public struct ProgramVersion: Sendable {
    public let terms: ProgramTerms
    /// The actors by the names of `ProgramTerms.controls`; nobody has set what is not there.
    public let setters: [String: String]

    /// What `actor` has made of `old`, which is nil for a new program.
    init(_ program: Program, by actor: String, after old: ProgramVersion?) {
        terms = program.terms
        var setters = old?.setters ?? [:]
        for name in ProgramRules.changedControls(terms, from: old?.terms, program.currency) {
            setters[name] = actor
        }
        self.setters = setters
    }

    /// Reads what `json` wrote. Nil when it is something else.
    init?(json: JSONValue) {
        guard let terms = ProgramTerms(json: json) else { return nil }
        self.terms = terms
        let setters = json.objectValue?["set_by"]?.objectValue ?? [:]
        self.setters = Dictionary(
            uniqueKeysWithValues: setters.compactMap { name, value in
                value.stringValue.map { (name, $0) }
            })
    }

    var json: JSONValue {
        var json = terms.json.objectValue ?? [:]
        var setters = JSONObject()
        for name in ProgramTerms.controls {
            setters[name] = self.setters[name].map { .string($0) }
        }
        json["set_by"] = .object(setters)
        return .object(json)
    }
}
