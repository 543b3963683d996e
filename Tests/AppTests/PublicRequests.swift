import Database
import Foundation
import Glibc
import JSON
import Model
import Records
import Testing

@testable import App

/// Requests as browsers and robots send them: without a key, with any body.
extension TestService {
    /// Sends one request as it is, without a key and without a look at the contract.
    func raw(
        _ method: String, _ target: String, _ body: String? = nil,
        headers: [(String, String)] = []
    ) throws -> TestAnswer {
        try TestConnection.exchange(
            port: port, method: method, target: target, headers: headers,
            body: body.map { Array($0.utf8) })
    }

    /// Posts the program's form urlencoded. `accept` decides between a page and JSON.
    func postForm(
        _ program: String, _ fields: [(String, String)], accept: String = "text/html",
        headers: [(String, String)] = []
    ) throws -> TestAnswer {
        let body = fields.map { "\(Self.escaped($0))=\(Self.escaped($1))" }
            .joined(separator: "&")
        return try raw(
            "POST", "/f/\(program)", body,
            headers: [
                ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", accept),
            ] + headers)
    }

    /// The members `data` of a list.
    func list(_ target: String) throws -> [JSONObject] {
        let answer = try get(target)
        #expect(answer.status == 200, "\(target): \(answer.text)")
        return answer.json["data"]?.arrayValue?.compactMap(\.objectValue) ?? []
    }

    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : String(format: "%%%02X", byte)
        }.joined()
    }
}

/// Asks until `condition` holds or ten seconds are over. For what the service does by itself, where
/// no request waits for it.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let start = ContinuousClock.now
    while start.duration(to: .now) < .seconds(10) {
        if try condition() { return true }
        sched_yield()
    }
    return false
}

extension TestClock {
    /// Forward to the next noon UTC, so that no test begins just before midnight.
    func moveToNoon() {
        let second = clock.now().milliseconds / 1_000 % 86_400
        advance(seconds: (86_400 + 43_200 - second) % 86_400)
    }
}

extension Application {
    /// The sequence of the newest event.
    func eventHead() throws -> Int64 {
        try EventStore.head(database.makeReader())
    }
}
