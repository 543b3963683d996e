import HTTP
import JSON
import Model

/// Reads a posted form in any of the three shapes that browsers and scripts send: urlencoded,
/// multipart, or one flat JSON object. All become the same list of named texts.
enum FormBody {
    static let types = [
        "application/x-www-form-urlencoded", "multipart/form-data", "application/json",
    ]

    /// The fields in their order. Throws 415 for another media type or a file, 400 for what cannot
    /// be read.
    static func fields(of request: Request) throws -> [(name: String, value: String)] {
        let type = request.header("content-type") ?? ""
        switch BodyCheck.mediaType(type) {
        case types[0]:
            return try urlencoded(request.body)
        case types[1]:
            return try multipart(request.body, type)
        case types[2]:
            return try flat(BodyCheck.json(of: request, types: [types[2]]))
        case "" where request.body.isEmpty:
            return []
        default:
            throw Refused(unsupported("The body must be " + types.joined(separator: ", ") + "."))
        }
    }

    private static func urlencoded(_ body: [UInt8]) throws -> [(name: String, value: String)] {
        guard let text = String(validating: body, as: UTF8.self),
            let pairs = PercentCoding.formDecode(text)
        else { throw Refused(.badRequest("bad_form", "The form cannot be decoded.")) }
        return pairs
    }

    private static func multipart(
        _ body: [UInt8], _ type: String
    ) throws -> [(name: String, value: String)] {
        do {
            return try Multipart.fields(
                of: body, boundary: Multipart.boundary(in: type), isKnown: FormPost.isKnown)
        } catch {
            throw Refused(problem(of: error))
        }
    }

    private static func problem(of fault: Multipart.Fault) -> Problem {
        switch fault {
        case .badBoundary: .badRequest("bad_boundary", "Content-Type names no usable boundary.")
        case .malformed: .badRequest("bad_multipart", "The multipart body is malformed.")
        case .tooManyParts:
            .badRequest("too_many_parts", "The form has over \(Multipart.partsMax) parts.")
        case .headerTooLarge: .badRequest("part_header_too_large", "A part's header is too large.")
        case .fileNotTaken: unsupported("This form takes no files.")
        case .notText: .badRequest("bad_multipart", "A part is not UTF-8 text.")
        }
    }

    private static func unsupported(_ detail: String) -> Problem {
        Problem(
            status: 415, code: "unsupported_media_type", detail: detail,
            headers: [("Accept", types.joined(separator: ", "))])
    }

    /// The members that are strings; null is as good as absent. A hint may be anything, and a list
    /// is a name repeated.
    private static func flat(_ json: JSONValue) throws -> [(name: String, value: String)] {
        guard let object = json.objectValue else {
            throw Refused(
                .invalidField("", code: "wrong_type", detail: "must be an object"))
        }
        var fields: [(name: String, value: String)] = []
        for (name, value) in object where FormPost.isKnown(name) && !value.isNull {
            if Hints.names.contains(where: { $0.rawValue == name }) {
                for item in value.arrayValue ?? [value] where !item.isNull {
                    fields.append((name, item.stringValue ?? item.text))
                }
                continue
            }
            guard let text = value.stringValue else {
                throw Refused(
                    .invalidField("/\(name)", code: "wrong_type", detail: "must be a string"))
            }
            fields.append((name, text))
        }
        return fields
    }
}
