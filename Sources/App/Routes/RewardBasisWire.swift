import JSON
import Model
import Programs

/// The basis of a reward or a benefit as its reader may see it. A participant reads how its own
/// amount came about; not what the operator thinks of it and calls its rules, nor what others have
/// or have reserved.
enum RewardBasisWire {
    static func json(_ basis: JSONValue, for caller: Principal) -> JSONValue {
        guard caller.participant != nil, let whole = basis.objectValue else { return basis }
        var shown = JSONObject()
        for (name, value) in whole where open.contains(name) { shown[name] = value }
        for name in ["approval_threshold", "budget", "rule_name"] where whole[name] != nil {
            shown[name] = .null
        }
        // Not when, from where and as whom somebody was referred first, perhaps by another.
        if let facts = whole["facts"]?.objectValue {
            var own = JSONObject()
            for name in ["product", "sold_at"] { own[name] = facts[name] }
            shown["facts"] = .object(own)
        }
        for (section, name) in [("participant", "segment"), ("rule", "segments")] {
            guard var inner = shown[section]?.objectValue, inner[name] != nil else { continue }
            inner[name] = .null
            shown[section] = .object(inner)
        }
        if var manual = shown["manual"]?.objectValue {
            manual["actor"] = nil
            shown["manual"] = .object(manual)
        }
        shown["arithmetic"] = shown["arithmetic"]?.objectValue.map { .object(ofOneself($0)) }
        return .object(shown)
    }

    /// What nobody has thought of stays hidden.
    private static let open: Set<String> = [
        "arithmetic", "conversion_kind", "credited", "hold_days", "participant", "program_version",
        "rule",
    ]

    /// Without what would tell how much others have: of a reward that is shared what all share, and
    /// of a limit for a referred customer what is used of it.
    private static func ofOneself(_ whole: JSONObject) -> JSONObject {
        var arithmetic = whole
        if arithmetic["whole"] != nil || arithmetic["parts"] != arithmetic["of"] {
            for name in [
                "base", "before_maximum", "of", "parts", "rate_amount", "remainder", "whole",
            ] { arithmetic[name] = nil }
            for name in ["campaign", "tier"] {
                guard var step = arithmetic[name]?.objectValue else { continue }
                step["amount"] = nil
                arithmetic[name] = .object(step)
            }
            arithmetic["shared"] = true
        }
        arithmetic["limits"] = arithmetic["limits"]?.arrayValue.map { limits in
            .array(
                limits.map { limit in
                    guard var object = limit.objectValue, object["limit"] == referee else {
                        return limit
                    }
                    object["used"] = nil
                    return .object(object)
                })
        }
        return arithmetic
    }

    private static let referee = JSONValue.string(RewardLimits.Name.referee.rawValue)
}
