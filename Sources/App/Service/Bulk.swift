import Database
import HTTP
import JSON
import Model

/// One refused item of a bulk request.
struct BulkRefusal: Error {
    let problem: Problem
}

/// Up to 100 items in one request: each with its own result, or with `atomic` all or none. An item
/// must check everything before it writes anything, so that a refused one leaves no trace.
enum BulkRequest {
    static func schema(of item: Schema) -> Schema {
        .object([
            .required(
                "items", .list(.itemised(item), count: 1...100),
                "Each is checked by itself: one that is malformed has status 400 as its result."),
            .optional("atomic", .boolean, "One refusal refuses all; false unless told."),
        ])
    }

    /// The items as `read` understands them, and the refusals of those that are not as `schema`
    /// says.
    static func items<Item>(
        _ call: Call, _ schema: Schema, read: (Body) throws -> Item
    ) throws -> [Result<Item, BulkRefusal>] {
        try (call.body.object["items"]?.arrayValue ?? []).map { item in
            do {
                return .success(try read(Body(item, by: schema)))
            } catch {
                guard let problem = problem(of: error) else { throw error }
                return .failure(BulkRefusal(problem: problem))
            }
        }
    }

    static func run<Item, Made>(
        _ items: [Result<Item, BulkRefusal>], _ call: Call, each make: (Item) throws -> Made
    ) throws -> [Result<Made, BulkRefusal>] {
        let isAtomic = call.body.flag("atomic") ?? false
        var results: [Result<Made, BulkRefusal>] = []
        for (index, item) in items.enumerated() {
            do {
                results.append(.success(try make(item.get())))
            } catch {
                guard let problem = problem(of: call.told(error)) else { throw error }
                if isAtomic { throw Refused(atomicRefusal(problem, at: index)) }
                results.append(.failure(BulkRefusal(problem: problem)))
            }
        }
        return results
    }

    /// The answer to a refusal; nil for a fault, which concerns the whole request.
    static func problem(of error: any Error) -> Problem? {
        switch error {
        case let refused as Refused: refused.problem
        case let refusal as BulkRefusal: refusal.problem
        case let refusal as any ProblemConvertible: refusal.problem
        default: nil
        }
    }

    private static func atomicRefusal(_ problem: Problem, at index: Int) -> Problem {
        let place = "/items/\(index)"
        let isMalformed = problem.status == 400
        return Problem(
            status: isMalformed ? 400 : 409, code: problem.code,
            detail: "Item \(index) was refused, so none was created: \(problem.detail)",
            errors: isMalformed
                ? problem.errors.map {
                    FieldError(pointer: place + $0.pointer, code: $0.code, detail: $0.detail)
                } : [FieldError(pointer: place, code: problem.code, detail: problem.detail)])
    }
}

/// What became of each item of a bulk request, in the order of the request.
enum BulkWire {
    /// `members` are those of an item that was not refused.
    static func schema(_ name: String, _ members: [Field]) -> Schema {
        .named(
            name,
            .object([
                .required("object", .choice(["list"])),
                .required(
                    "data",
                    .list(
                        .object(
                            [
                                .required("index", .integer(0...99)),
                                .required("status", .integer(200...599)),
                                .optional("problem", .anything),
                            ] + members), count: 0...100)),
                .required("has_more", .boolean), .required("url", .text(1...2000)),
            ]))
    }

    static func json<Made>(
        _ results: [Result<Made, BulkRefusal>], _ call: Call, status: (Made) -> Int = { _ in 201 },
        write: (Made, inout JSONObjectWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 256 * results.count + 128)
        json.object { list in
            list.field("object", "list")
            list.array("data") { data in
                for (index, result) in results.enumerated() {
                    data.object { item in
                        item.field("index", index)
                        switch result {
                        case .success(let made):
                            item.field("status", status(made))
                            write(made, &item)
                        case .failure(let refusal): BulkWire.write(refusal.problem, &item)
                        }
                    }
                }
            }
            list.field("has_more", false)
            list.field("url", call.request.path)
        }
        return json.bytes
    }

    private static func write(_ problem: Problem, _ json: inout JSONObjectWriter) {
        json.field("status", problem.status)
        json.object("problem") { object in
            object.field("type", "about:blank")
            object.field("title", problem.title)
            object.field("status", problem.status)
            object.field("code", problem.code)
            object.field("detail", problem.detail)
            if !problem.errors.isEmpty {
                object.array("errors") { list in
                    for error in problem.errors {
                        list.object { item in
                            item.field("pointer", error.pointer)
                            item.field("code", error.code)
                            item.field("detail", error.detail)
                        }
                    }
                }
            }
            for (name, value) in problem.members { object.field(name, value) }
        }
    }
}
