import Glibc

/// Finds what answers a path and method. Templates are split at "/"; a segment `{name}` takes any
/// one non-empty segment. Literal segments beat parameters. Paths are compared as sent: no dot
/// segments are resolved, no slashes merged, so such a path is not found.
public struct Router<Endpoint: Sendable>: Sendable {
    public enum Match: Sendable {
        case found(Endpoint, parameters: PathParameters)
        /// The path exists; `allow` is the value for the Allow field (RFC 9110 section 10.2.1). It
        /// lists HEAD with GET, and OPTIONS always: a server answers that for every path it knows.
        case methodNotAllowed(allow: String)
        case notFound
    }

    private struct Node: Sendable {
        var literals: [(text: [UInt8], child: Int)] = []
        var parameter: Int?
        var endpoints: [(method: Method, endpoint: Endpoint, names: [String])] = []
    }

    private var nodes = [Node()]

    public init() {}

    /// Adds a route; `template` starts with "/". The last one added for a method and template
    /// counts.
    public mutating func add(_ method: Method, _ template: String, _ endpoint: Endpoint) {
        var node = 0
        var names: [String] = []
        let segments = template.split(separator: "/", omittingEmptySubsequences: false)
        for segment in segments.dropFirst() {
            if segment.hasPrefix("{"), segment.hasSuffix("}") {
                names.append(String(segment.dropFirst().dropLast()))
                node = parameterChild(of: node)
            } else {
                node = literalChild(of: node, Array(segment.utf8))
            }
        }
        nodes[node].endpoints.removeAll { $0.method == method }
        nodes[node].endpoints.append((method, endpoint, names))
    }

    /// What answers `method` on `path` (as sent, without query). HEAD falls back to GET. A
    /// parameter that does not decode (bad escape, control character, encoded slash, not UTF-8)
    /// makes the path not found.
    public func match(_ method: Method, path: String) -> Match {
        var path = path
        return path.withUTF8 { bytes in
            guard bytes.first == UInt8(ascii: "/") else { return .notFound }
            var values = Values()
            guard let index = find(bytes, from: 1, node: 0, &values) else { return .notFound }
            return answer(method, nodes[index], bytes, values)
        }
    }

    /// Where in the path the parameters stand. The first needs no array: most routes have one.
    private struct Values {
        private var first = 0..<0
        private var others: [Range<Int>] = []
        private(set) var count = 0

        mutating func push(_ range: Range<Int>) {
            if count == 0 { first = range } else { others.append(range) }
            count += 1
        }

        mutating func pop() {
            count -= 1
            if count > 0 { others.removeLast() }
        }

        subscript(index: Int) -> Range<Int> { index == 0 ? first : others[index - 1] }
    }

    /// The node of the path from `start`, literals first. Depth is that of the deepest template.
    private func find(
        _ path: UnsafeBufferPointer<UInt8>, from start: Int, node: Int, _ values: inout Values
    ) -> Int? {
        let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
        let segment = path.part(start..<end)
        for literal in nodes[node].literals where literal.text.count == segment.count {
            let isEqual = literal.text.withUnsafeBufferPointer { text in
                guard let left = text.baseAddress, let right = segment.baseAddress else {
                    return true
                }
                return memcmp(left, right, segment.count) == 0
            }
            guard isEqual else { continue }
            if let found = descend(path, from: end, node: literal.child, &values) { return found }
        }
        guard let child = nodes[node].parameter, !segment.isEmpty else { return nil }
        values.push(start..<end)
        if let found = descend(path, from: end, node: child, &values) { return found }
        values.pop()
        return nil
    }

    private func descend(
        _ path: UnsafeBufferPointer<UInt8>, from end: Int, node: Int, _ values: inout Values
    ) -> Int? {
        guard end == path.count else { return find(path, from: end + 1, node: node, &values) }
        return nodes[node].endpoints.isEmpty ? nil : node
    }

    private func answer(
        _ method: Method, _ node: Node, _ path: UnsafeBufferPointer<UInt8>, _ values: Values
    ) -> Match {
        let exact = node.endpoints.first { $0.method == method }
        let fallback = method == .head ? node.endpoints.first { $0.method == .get } : nil
        var first = ""
        var others: [String] = []
        for index in 0..<values.count {
            guard let value = PathParameters.decode(path.part(values[index])) else {
                return .notFound
            }
            if index == 0 { first = value } else { others.append(value) }
        }
        guard let route = exact ?? fallback else {
            return .methodNotAllowed(allow: allow(node))
        }
        return .found(
            route.endpoint,
            parameters: PathParameters(names: route.names, first: first, others: others))
    }

    private func allow(_ node: Node) -> String {
        var methods = Set(node.endpoints.map(\.method))
        if methods.contains(.get) { methods.insert(.head) }
        methods.insert(.options)
        return Method.allCases.filter(methods.contains).map(\.rawValue).joined(separator: ", ")
    }

    private mutating func parameterChild(of node: Int) -> Int {
        if let child = nodes[node].parameter { return child }
        nodes.append(Node())
        nodes[node].parameter = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func literalChild(of node: Int, _ text: [UInt8]) -> Int {
        if let literal = nodes[node].literals.first(where: { $0.text == text }) {
            return literal.child
        }
        nodes.append(Node())
        nodes[node].literals.append((text, nodes.count - 1))
        return nodes.count - 1
    }
}
