/// A parsed head: one copy of its bytes, and where things are in it.
struct RequestHead: Sendable {
    struct Field: Sendable {
        private let nameStart: UInt32
        private let nameEnd: UInt32
        private let valueStart: UInt32
        private let valueEnd: UInt32

        /// Offsets fit 32 bits: a head is bounded by `Limits` far below.
        init(name: Range<Int>, value: Range<Int>) {
            nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
            nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        }

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    /// How the end of the body is found (RFC 9112 section 6.3).
    enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    enum Expectation: Sendable {
        case none
        case `continue`
        case unknown
    }

    var bytes: [UInt8]
    var fields: [Field]
    let method: Method
    let methodText: Range<Int>
    let path: String
    let query: Range<Int>
    /// The authority that counts: the target's, else the Host field's.
    let host: Range<Int>?
    let isHTTP10: Bool
    let framing: Framing
    let expectation: Expectation
    /// The client wants the connection kept after the answer (RFC 9112 section 9.3).
    let keepsAlive: Bool

    func text(_ range: Range<Int>) -> String {
        bytes.withUnsafeBufferPointer { String(decoding: $0.part(range), as: UTF8.self) }
    }
}
