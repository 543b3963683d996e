import JSON
import Programs

/// The basis of a reward or a benefit as its reader may see it. A participant reads how its own
/// amount came about; not what the operator thinks of it and calls its rules, nor what others have
/// reserved.
enum RewardBasisWire {
    static func json(_ basis: JSONValue, for caller: Principal) -> JSONValue {
        guard caller.participant != nil, var shown = basis.objectValue else { return basis }
        for name in ["approval_threshold", "budget", "rule_name"] where shown[name] != nil {
            shown[name] = .null
        }
        for (section, name) in [("participant", "segment"), ("rule", "segments")] {
            guard var inner = shown[section]?.objectValue, inner[name] != nil else { continue }
            inner[name] = .null
            shown[section] = .object(inner)
        }
        return .object(shown)
    }
}
