import Testing

@testable import HTTP

private func decode(_ text: String, step: Int, bytesMax: Int = 100) -> String {
    let bytes = Array(text.utf8)
    var chunks = ChunkedBody(bytesMax: bytesMax)
    var body: [UInt8] = []
    var index = 0
    while index < bytes.count {
        let part = Array(bytes[index..<min(index + step, bytes.count)])
        let progress = part.withUnsafeBufferPointer {
            chunks.advance(over: $0, into: &body, limits: Limits())
        }
        switch progress {
        case .incomplete: index += part.count
        case .complete(let consumed):
            return "\(String(decoding: body, as: UTF8.self)) \(index + consumed)"
        case .malformed(let refusal):
            return "\(refusal.status) \(refusal.code)"
        }
    }
    return "incomplete"
}

private func letters(_ count: Int) -> String { String(repeating: "x", count: count) }

private let cases: [ParserCase] = [
    ParserCase("0\r\n\r\n", " 5"),
    ParserCase("5\r\nhello\r\n0\r\n\r\nGET", "hello 15"),
    ParserCase("3\r\nabc\r\n0A\r\n0123456789\r\n000\r\n\r\n", "abc0123456789 31"),
    ParserCase("5;a=b;c=\"d\"\r\nhello\r\n0 ;x\r\n\r\n", "hello 28"),
    ParserCase("1\r\na\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", "a 25"),
    ParserCase("64\r\n\(letters(100))\r\n0\r\n\r\n", "\(letters(100)) 111"),
    ParserCase("65\r\n", "413 body_too_large"),
    ParserCase("60\r\n\(letters(96))\r\n5\r\n", "413 body_too_large"),
    ParserCase("FFFFFFFFFFFFFFFF\r\n", "413 body_too_large"),
    ParserCase("00000000000000001\r\n", "400 malformed_chunk"),
    ParserCase("\r\n", "400 malformed_chunk"),
    ParserCase("-1\r\n", "400 malformed_chunk"),
    ParserCase("0x5\r\n", "400 malformed_chunk"),
    ParserCase(" 5\r\n", "400 malformed_chunk"),
    ParserCase("5 \r\n", "400 malformed_chunk"),
    ParserCase("5\nhello", "400 malformed_chunk"),
    ParserCase("5\rhello", "400 malformed_chunk"),
    ParserCase("5;a\nhello", "400 malformed_chunk"),
    ParserCase("5;\u{0}\r\n", "400 malformed_chunk"),
    ParserCase("5\r\nhelloX", "400 malformed_chunk"),
    ParserCase("5\r\nhello\n", "400 malformed_chunk"),
    ParserCase("5\r\nhello\r\r", "400 malformed_chunk"),
    ParserCase("0\r\n\rX", "400 malformed_chunk"),
    ParserCase("0\r\n folded: x\r\n", "400 malformed_chunk"),
    ParserCase("0\r\nX y: z\r\n", "400 malformed_chunk"),
    ParserCase("0\r\nX: a\n", "400 malformed_chunk"),
    ParserCase("0\r\nX\r\n", "400 malformed_chunk"),
    ParserCase("1;\(letters(4100))", "400 chunk_extensions_too_large"),
    ParserCase("0\r\nX: \(letters(8200))", "431 trailers_too_large"),
    ParserCase("5\r\nhel", "incomplete"),
    ParserCase("0\r\n", "incomplete"),
]

@Test("a chunked body gives the same, wherever its bytes are split", arguments: cases)
func chunkedBody(_ row: ParserCase) {
    let count = row.request.utf8.count
    let outcomes = Set((Array(1...min(count, 300)) + [count]).map { decode(row.request, step: $0) })
    #expect(outcomes == [row.outcome])
}
