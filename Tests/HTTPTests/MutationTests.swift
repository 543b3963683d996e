import Glibc
import Testing

@testable import HTTP

/// SplitMix64: small, seeded, the same everywhere.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

private func setting(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
}

private let seeds = [
    "GET /r/abc?x=1 HTTP/1.1\r\nHost: a.example:80\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
    "POST /v1/leads HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
    "PUT http://b/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: "
        + "y\r\n\r\n",
].map { Array($0.utf8) }

private func mutate(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.remove(at: index)
        case 3:
            bytes.insert(
                [13, 10, 0, 32, 58, 9, 44, 59].randomElement(using: &random) ?? 0, at: index)
        case 4: bytes.insert(contentsOf: bytes[index..<min(index + 20, bytes.count)], at: index)
        default: bytes.removeSubrange(index..<min(index + 8, bytes.count))
        }
    }
    return bytes
}

/// Parses a head and, if chunked, its body, in steps of `step` bytes.
private func run(_ bytes: [UInt8], step: Int) -> String {
    var parser = RequestParser()
    var end = 0
    while end < bytes.count {
        end = min(end + step, bytes.count)
        let progress = bytes.withUnsafeBufferPointer {
            parser.advance(over: UnsafeBufferPointer(rebasing: $0[..<end]), limits: Limits())
        }
        switch progress {
        case .incomplete: continue
        case .malformed(let refusal): return refusal.code
        case .complete(let head, let length):
            return "\(head.path) \(head.fields.count) \(head.framing) \(length) "
                + body(bytes[length...], step: step)
        }
    }
    return "incomplete"
}

private func body(_ bytes: ArraySlice<UInt8>, step: Int) -> String {
    var chunks = ChunkedBody(bytesMax: 1000)
    var decoded: [UInt8] = []
    var rest = bytes
    while !rest.isEmpty {
        let progress = Array(rest.prefix(step)).withUnsafeBufferPointer {
            chunks.advance(over: $0, into: &decoded, limits: Limits())
        }
        switch progress {
        case .incomplete: rest = rest.dropFirst(step)
        case .malformed(let refusal): return refusal.code
        case .complete: return "\(decoded)"
        }
    }
    return "incomplete"
}

@Test("a server that was sent mutated requests answers the next one")
func mutationsOverSockets() throws {
    let seed = setting("REFERRALD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    print("HTTP mutations over sockets: REFERRALD_SEED=\(seed)")
    var random = Seeded(state: seed)
    let test = try TestServer { $0.lingerSeconds = 0.2 }
    for number in 0..<300 {
        let client = try test.client()
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            client.send(mutate(seeds[number % 4], &random))
        }
        client.endSending()
        while client.answer() != nil {}
        #expect(!client.timedOut)
    }
    let client = try test.client()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.status == 200)
}

@Test("mutated requests end in an outcome that does not depend on how they are split")
func mutations() {
    let seed = setting("REFERRALD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    let count = setting("REFERRALD_MUTATIONS") ?? 1_000_000
    print("HTTP mutations: REFERRALD_SEED=\(seed) REFERRALD_MUTATIONS=\(count)")
    var random = Seeded(state: seed)
    for number in 0..<count {
        let bytes = mutate(seeds[Int(number % 4)], &random)
        let whole = run(bytes, step: max(bytes.count, 1))
        let parts = run(bytes, step: Int.random(in: 1...16, using: &random))
        guard whole == parts else {
            Issue.record("seed \(seed), number \(number): \(whole) but in parts \(parts)")
            return
        }
    }
}
