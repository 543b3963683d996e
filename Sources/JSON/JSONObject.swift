/// The members of a JSON object in document order, each name once. Equality ignores the order.
///
/// Look-up is a scan: API objects have few members, and `JSONLimits.membersMax` bounds the rest.
public struct JSONObject: Sendable, Sequence {
    public typealias Element = (name: String, value: JSONValue)

    private var members: [Element] = []

    public init() {}

    /// The last of several members with one name wins, in the place of the first.
    init(_ elements: [(String, JSONValue)]) {
        members.reserveCapacity(elements.count)
        for (name, value) in elements { self[name] = value }
    }

    /// The caller has proved that every name appears once.
    init(distinct members: [Element]) { self.members = members }

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }

    /// The names in document order.
    public var names: [String] { members.map(\.name) }

    /// The value of a member, nil when there is none. Setting replaces in place or appends; setting
    /// nil removes. To store a JSON null, set `JSONValue.null`.
    public subscript(name: String) -> JSONValue? {
        get {
            for member in members where member.name.hasSameBytes(as: name) { return member.value }
            return nil
        }
        set {
            let place = members.firstIndex { $0.name.hasSameBytes(as: name) }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    public func makeIterator() -> IndexingIterator<[Element]> { members.makeIterator() }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for (place, member) in left.members.enumerated() {
            let opposite = right.members[place]
            // Most often both were written in the same order; the scan is for the rest.
            let value =
                opposite.name.hasSameBytes(as: member.name) ? opposite.value : right[member.name]
            guard value == member.value else { return false }
        }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for (name, value) in members {
            var one = Hasher()
            one.combine(name)
            one.combine(value)
            sum ^= one.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// The last of several members with one name wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
