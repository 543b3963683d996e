import JSON
import Model

/// One version of a program's terms, as it is kept for good, with who set those of them that hold
/// money back: what the first version has otherwise than by default, and what a later one changed.
/// So a version answers for all before it. Those of earlier releases name nobody.
public struct ProgramVersion: Sendable {
    public let terms: ProgramTerms
    /// In which their amounts are.
    public let currency: Currency
    /// The actors by the names of `ProgramTerms.controls`; nobody has set what is not there.
    public let setters: [String: String]

    /// What `actor` has made of `old`, which is nil for a new program.
    init(_ program: Program, by actor: String, after old: ProgramVersion?) {
        terms = program.terms
        currency = program.currency
        var setters = old?.setters ?? [:]
        let changed = ProgramRules.changedControls(
            terms, in: currency, from: old.map { ($0.terms, $0.currency) })
        for name in changed { setters[name] = actor }
        self.setters = setters
    }

    /// Reads what `json` wrote. Nil when it is something else.
    init?(json: JSONValue) {
        guard let terms = ProgramTerms(json: json),
            let currency = json.objectValue?["currency"]?.stringValue.flatMap({ Currency($0) })
        else { return nil }
        self.terms = terms
        self.currency = currency
        let setters = json.objectValue?["set_by"]?.objectValue ?? [:]
        self.setters = Dictionary(
            uniqueKeysWithValues: setters.compactMap { name, value in
                value.stringValue.map { (name, $0) }
            })
    }

    var json: JSONValue {
        var json = terms.json.objectValue ?? [:]
        json["currency"] = .string(currency.code)
        var setters = JSONObject()
        for name in ProgramTerms.controls {
            setters[name] = self.setters[name].map { .string($0) }
        }
        json["set_by"] = .object(setters)
        return .object(json)
    }
}
