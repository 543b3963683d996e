import HTTP
import JSON
import Model

/// A JSON value after its schema: what it means, and what is wrong with it.
struct Reading {
    /// With natural keys in one spelling, whole numbers in digits alone, and without the members
    /// that are null where null means absent.
    let value: JSONValue
    /// Each with the JSON Pointer of its place; at most `Schema.faultsMax`.
    let faults: [FieldError]
}

extension Schema {
    /// In a merge patch null takes a member away, so it stays; everywhere else null for an optional
    /// member is as good as none.
    func read(_ value: JSONValue, isMergePatch: Bool = false) -> Reading {
        var faults: [FieldError] = []
        let meant = check(value, at: "", keepsNull: isMergePatch, into: &faults)
        return Reading(value: meant ?? value, faults: faults)
    }

    func faults(in value: JSONValue) -> [FieldError] { read(value).faults }

    fileprivate static let faultsMax = 20

    /// What `value` means where that differs from what it is.
    private func check(
        _ value: JSONValue, at pointer: String, keepsNull: Bool, into faults: inout [FieldError]
    ) -> JSONValue? {
        guard faults.count < Schema.faultsMax else { return nil }
        switch self {
        case .anything, .itemised: return nil
        case .named(_, let schema):
            return schema.check(value, at: pointer, keepsNull: keepsNull, into: &faults)
        case .nullable(let schema):
            if value == .null { return nil }
            return schema.check(value, at: pointer, keepsNull: keepsNull, into: &faults)
        case .list(let schema, let count):
            return Schema.checkList(value, schema, count, at: pointer, into: &faults)
        case .metadata:
            Schema.checkMetadata(value, isPatch: false, at: pointer, into: &faults)
            return nil
        case .metadataPatch:
            Schema.checkMetadata(value, isPatch: true, at: pointer, into: &faults)
            return nil
        case .object(let fields):
            return Schema.checkObject(
                value, fields, at: pointer, keepsNull: keepsNull, into: &faults)
        case .key, .string, .integer, .minorUnits, .number, .boolean, .choice:
            switch scalar(value) {
            case .as(let meant): return meant
            case .wrong(let code, let detail):
                faults.append(FieldError(pointer: pointer, code: code, detail: detail))
                return nil
            }
        }
    }

    private enum Verdict {
        /// Right; nil where it means what it is.
        case `as`(JSONValue?)
        case wrong(String, String)
    }

    private func scalar(_ value: JSONValue) -> Verdict {
        switch self {
        case .boolean:
            return value.boolValue == nil ? .wrong("wrong_type", "must be true or false") : .as(nil)
        case .number:
            switch value {
            case .integer, .number: return .as(nil)
            default: return .wrong("wrong_type", "must be a number")
            }
        case .integer(let range):
            guard let number = value.integerValue else {
                return .wrong("wrong_type", "must be a whole number")
            }
            return Schema.verdict(number, range)
        case .minorUnits(let range):
            guard case .integer(let number) = value else {
                return .wrong("wrong_type", "must be a whole number of \(Schema.moneyWords)")
            }
            return Schema.verdict(number, range)
        case .choice(let names):
            guard let text = value.stringValue else {
                return .wrong("wrong_type", "must be one of " + names.joined(separator: ", "))
            }
            guard !names.contains(text) else { return .as(nil) }
            return .wrong("unknown_value", "must be one of " + names.joined(separator: ", "))
        case .string(let rule):
            guard let text = value.stringValue else {
                return .wrong(
                    "wrong_type", "must be " + (rule.words.map { "a string: \($0)" } ?? "a string"))
            }
            return rule.fault(in: text).map { .wrong($0.code, $0.detail) } ?? .as(nil)
        case .key(let rule): return Schema.key(value, rule)
        default: return .as(nil)
        }
    }

    private static func verdict(_ number: Int64, _ range: ClosedRange<Int64>) -> Verdict {
        range.contains(number)
            ? .as(.integer(number))
            : .wrong(
                "out_of_range", "must be from \(range.lowerBound) to \(range.upperBound)")
    }

    fileprivate static let moneyWords =
        #"minor units: {"amount": 1999, "currency": "USD"} is 19.99 USD"#

    /// A key in its one spelling. A number must be written in digits alone: `7.0` is no order.
    private static func key(_ value: JSONValue, _ rule: TextRule) -> Verdict {
        let text: String
        switch value {
        case .string(let given): text = given
        case .integer(let number): text = String(number)
        case .number(let literal) where literal.utf8.allSatisfy({ $0 == 0x2D || $0 &- 0x30 < 10 }):
            text = literal
        default:
            return .wrong("wrong_type", "must be " + (rule.words ?? "a string"))
        }
        guard text.unicodeScalars.count <= rule.length.upperBound else {
            return .wrong(
                "too_long", "must have at most \(rule.length.upperBound) characters")
        }
        guard let key = NaturalKey.normalized(text) else {
            return NaturalKey.trimmed(text).isEmpty
                ? .wrong("too_short", "must not be empty: \(rule.words ?? "text")")
                : .wrong("bad_format", "must be " + (rule.words ?? "text"))
        }
        return rule.fault(in: key).map { .wrong($0.code, $0.detail) } ?? .as(.string(key))
    }

    private static func checkList(
        _ value: JSONValue, _ schema: Schema, _ count: ClosedRange<Int>, at pointer: String,
        into faults: inout [FieldError]
    ) -> JSONValue? {
        func fault(_ code: String, _ detail: String) {
            faults.append(FieldError(pointer: pointer, code: code, detail: detail))
        }
        guard var elements = value.arrayValue else {
            fault("wrong_type", "must be a list")
            return nil
        }
        guard count.contains(elements.count) else {
            fault("wrong_count", "must have \(count.lowerBound) to \(count.upperBound) items")
            return nil
        }
        var isChanged = false
        // A merge patch replaces lists as wholes (RFC 7396), so null in them takes nothing away.
        for index in elements.indices {
            let place = "\(pointer)/\(index)"
            if let meant = schema.check(
                elements[index], at: place, keepsNull: false, into: &faults)
            {
                elements[index] = meant
                isChanged = true
            }
        }
        return isChanged ? .array(elements) : nil
    }

    private static func checkObject(
        _ value: JSONValue, _ fields: [Field], at pointer: String, keepsNull: Bool,
        into faults: inout [FieldError]
    ) -> JSONValue? {
        guard let object = value.objectValue else {
            let isMoney = fields.map(\.name) == ["amount", "currency"]
            let words = isMoney ? "must be \(moneyWords)" : "must be an object"
            faults.append(FieldError(pointer: pointer, code: "wrong_type", detail: words))
            return nil
        }
        var meant = object
        var isChanged = false
        for field in fields {
            let member = object[field.name]
            guard member != nil || field.isRequired else { continue }
            let place = "\(pointer)/\(field.name)"
            if let member, !member.isNull || keepsNull || field.schema.takesNull {
                if let other = field.schema.check(
                    member, at: place, keepsNull: keepsNull, into: &faults)
                {
                    meant[field.name] = other
                    isChanged = true
                }
            } else if field.isRequired {
                faults.append(FieldError(pointer: place, code: "required", detail: "is missing"))
            } else {
                meant[field.name] = nil
                isChanged = true
            }
        }
        for (name, _) in object where !fields.contains(where: { $0.name == name }) {
            guard faults.count < faultsMax else { break }
            faults.append(
                FieldError(
                    pointer: "\(pointer)/\(pointerToken(name))", code: "unknown_member",
                    detail: NearestName.words(name, among: fields.map(\.name))))
        }
        return isChanged ? .object(meant) : nil
    }

    /// Whether null is a value of its own here.
    private var takesNull: Bool {
        switch self {
        case .nullable, .anything, .itemised: true
        case .named(_, let schema): schema.takesNull
        default: false
        }
    }

    private static func checkMetadata(
        _ value: JSONValue, isPatch: Bool, at pointer: String, into faults: inout [FieldError]
    ) {
        guard let object = value.objectValue else {
            faults.append(
                FieldError(pointer: pointer, code: "wrong_type", detail: "must be an object"))
            return
        }
        if object.count > 50 {
            faults.append(
                FieldError(pointer: pointer, code: "wrong_count", detail: "has over 50 members"))
        }
        for (name, member) in object {
            guard faults.count < faultsMax else { return }
            let nameFits =
                (1...40).contains(name.unicodeScalars.count)
                && !name.unicodeScalars.contains { "[]".unicodeScalars.contains($0) }
            let length = isPatch && member.isNull ? 0 : member.stringValue?.unicodeScalars.count
            if !nameFits || length.map({ $0 > 500 }) != false {
                faults.append(
                    FieldError(
                        pointer: "\(pointer)/\(pointerToken(name))", code: "bad_metadata",
                        detail: "needs a key of 1 to 40 characters without [ ] and a string of at "
                            + "most 500 characters"))
            }
        }
    }

    private static func pointerToken(_ name: String) -> String {
        var token = ""
        for scalar in name.unicodeScalars.prefix(100) {
            switch scalar {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.unicodeScalars.append(scalar)
            }
        }
        return token
    }
}

extension TextRule {
    /// Nil when `text` is as the rule says.
    func fault(in text: String) -> (code: String, detail: String)? {
        let count = text.unicodeScalars.count
        guard length.contains(count) || !hasOwnLength else {
            return count < length.lowerBound
                ? ("too_short", "must have at least \(length.lowerBound) characters")
                : ("too_long", "must have at most \(length.upperBound) characters")
        }
        // A name or a reason of blanks says as little as an empty one.
        guard !hasOwnLength || length.lowerBound == 0 || !NaturalKey.trimmed(text).isEmpty else {
            return ("too_short", "must hold more than blanks")
        }
        guard length.contains(count), accepts(text) else {
            let words = words ?? format ?? "a value of another form"
            return ("bad_format", "must be \(words)" + (insight?(text).map { "; \($0)" } ?? ""))
        }
        return nil
    }
}
