import HTTP
import JSON
import Model

extension Schema {
    /// Every fault of `value`, each with the JSON Pointer of its place. Stops at `faultsMax`.
    func faults(in value: JSONValue) -> [FieldError] {
        var faults: [FieldError] = []
        check(value, at: "", into: &faults)
        return faults
    }

    private static let faultsMax = 20

    private func check(_ value: JSONValue, at pointer: String, into faults: inout [FieldError]) {
        guard faults.count < Schema.faultsMax else { return }
        func fault(_ code: String, _ detail: String) {
            faults.append(FieldError(pointer: pointer, code: code, detail: detail))
        }
        switch self {
        case .anything, .itemised:
            break
        case .named(_, let schema):
            schema.check(value, at: pointer, into: &faults)
        case .nullable(let schema):
            if value != .null { schema.check(value, at: pointer, into: &faults) }
        case .boolean:
            if value.boolValue == nil { fault("wrong_type", "must be true or false") }
        case .number:
            switch value {
            case .integer, .number: break
            default: fault("wrong_type", "must be a number")
            }
        case .integer(let range):
            guard let number = value.integerValue else {
                return fault("wrong_type", "must be a whole number")
            }
            if !range.contains(number) {
                fault("out_of_range", "must be from \(range.lowerBound) to \(range.upperBound)")
            }
        case .choice(let names):
            guard let text = value.stringValue else {
                return fault("wrong_type", "must be a string")
            }
            if !names.contains(text) {
                fault("unknown_value", "must be one of " + names.joined(separator: ", "))
            }
        case .string(let rule):
            guard let text = value.stringValue else {
                return fault("wrong_type", "must be a string")
            }
            if let wrong = rule.fault(in: text) { fault(wrong.code, wrong.detail) }
        case .list(let schema, let count):
            guard let elements = value.arrayValue else {
                return fault("wrong_type", "must be a list")
            }
            guard count.contains(elements.count) else {
                return fault(
                    "wrong_count", "must have \(count.lowerBound) to \(count.upperBound) items")
            }
            for (index, element) in elements.enumerated() {
                schema.check(element, at: "\(pointer)/\(index)", into: &faults)
            }
        case .metadata:
            Schema.checkMetadata(value, isPatch: false, at: pointer, into: &faults)
        case .metadataPatch:
            Schema.checkMetadata(value, isPatch: true, at: pointer, into: &faults)
        case .object(let fields):
            Schema.checkObject(value, fields, at: pointer, into: &faults)
        }
    }

    private static func checkObject(
        _ value: JSONValue, _ fields: [Field], at pointer: String, into faults: inout [FieldError]
    ) {
        guard let object = value.objectValue else {
            faults.append(
                FieldError(pointer: pointer, code: "wrong_type", detail: "must be an object"))
            return
        }
        for field in fields {
            let place = "\(pointer)/\(field.name)"
            if let member = object[field.name] {
                field.schema.check(member, at: place, into: &faults)
            } else if field.isRequired {
                faults.append(FieldError(pointer: place, code: "required", detail: "is missing"))
            }
        }
        for (name, _) in object where !fields.contains(where: { $0.name == name }) {
            guard faults.count < faultsMax else { return }
            faults.append(
                FieldError(
                    pointer: "\(pointer)/\(pointerToken(name))", code: "unknown_member",
                    detail: "is not known here"))
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
        guard length.contains(count) else {
            return count < length.lowerBound
                ? ("too_short", "must have at least \(length.lowerBound) characters")
                : ("too_long", "must have at most \(length.upperBound) characters")
        }
        guard accepts(text) else {
            return ("bad_format", "is not a valid " + (format ?? "value for this field"))
        }
        return nil
    }
}
