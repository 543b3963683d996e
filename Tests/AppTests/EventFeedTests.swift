import Database
import Foundation
import JSON
import Model
import Records
import Testing

@testable import App

/// Who reads the feed, how far one call looks, and what becomes of a cursor after a restore.
struct EventFeedTests {
    // MARK: - Bounded looks

    /// Events of a type that nobody else writes, at the end of the log.
    private static func fill(_ service: TestService, _ count: Int64, of type: String) throws {
        try service.service.app.database.perform { tx in
            try tx.run(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                INSERT INTO events (
                    id, occurred_at, type, object_id, object_kind, actor, data)
                SELECT randomblob(16), ?, ?, randomblob(16), 'prog', 'system', '{}' FROM n
                """, count, tx.now, type)
        }
    }

    @Test("a rare type is found in bounded looks, each of which says where to go on")
    func rareType() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        let start = try stage.service.get("/v1/events?limit=100")["next_cursor"]
        try Self.fill(stage.service, 2_000, of: "test.common")
        try Self.fill(stage.service, 1, of: "test.rare")
        try Self.fill(stage.service, 2_500, of: "test.common")
        try Self.fill(stage.service, 2, of: "test.rare")
        var cursor = try #require(start?.stringValue)
        var found: [Int] = []
        while true {
            let page = try stage.service.get("/v1/events?type=test.rare&after=\(cursor)")
            found.append(page["data"]?.arrayValue?.count ?? -1)
            let next = try #require(page["next_cursor"]?.stringValue)
            #expect(next != cursor)
            cursor = next
            if page["has_more"] == false { break }
            #expect(found.count < 10)
        }
        // 2,000 rows are looked at each time: none, then one, then two.
        #expect(found == [0, 1, 2])
        let end = try stage.service.get("/v1/events?type=test.rare&after=\(cursor)")
        #expect(end["next_cursor"] == .string(cursor) && end["data"] == [])
    }

    @Test("a token's cursor moves over its own events alone, also where it looks for a type")
    func ownType() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        _ = try scene.lead(scene.ada, "a@buyer.example")
        try Self.fill(scene.service, 3_000, of: "test.common")
        let own = try Scene.events(scene.service, key: scene.ada.token)
        let last = try #require(own.last?["sequence"]?.integerValue)
        for type in ["lead.submitted", "lead.won"] {
            let page = try scene.service.get("/v1/events?type=\(type)", key: scene.ada.token)
            #expect(page["data"]?.arrayValue?.count == (type == "lead.won" ? 0 : 1))
            #expect(page["has_more"] == false)
            #expect(page["next_cursor"]?.stringValue?.hasSuffix(".\(last)") == true, "\(page.text)")
        }
    }

    // MARK: - Cursors

    @Test("a cursor beyond the end is refused with the end, and a token learns its own end alone")
    func ahead() throws {
        let scene = try Scene(TestService())
        defer { scene.service.stop() }
        let page = try scene.service.get("/v1/events?limit=100")
        let head = try #require(page["next_cursor"]?.stringValue)
        let parts = head.split(separator: ".")
        let (feed, number) = (String(parts[0]), try #require(Int64(parts[1])))
        for cursor in ["\(number + 1)", "\(feed).\(number + 1)", "0000000000.1", "999999999999"] {
            let answer = try scene.service.get("/v1/events?after=\(cursor)")
            #expect(answer.status == 409 && answer.code == "cursor_ahead", "\(cursor)")
            #expect(answer["head"] == .string(head), "\(answer.text)")
        }
        for cursor in ["\(number)", head, "0", "\(feed).0"] {
            #expect(try scene.service.get("/v1/events?after=\(cursor)").status == 200, "\(cursor)")
        }
        for cursor in ["\(feed).", ".5", "\(feed).x", "x.\(number)", "\(feed).1.2", "1 "] {
            let text = cursor.replacing(" ", with: "%20")
            #expect(try scene.service.get("/v1/events?after=\(text)").status == 400, "\(cursor)")
        }
        // Ben's newest event is the last of all; ada must not learn of it.
        _ = try scene.lead(scene.ben, "b@buyer.example")
        let told = try scene.service.get(
            "/v1/events?after=\(number + 1)", key: scene.ada.token)
        let own = try Scene.events(scene.service, key: scene.ada.token)
        let last = try #require(own.last?["sequence"]?.integerValue)
        #expect(told["head"] == .string("\(feed).\(last)"), "\(told.text)")
    }

    /// A service on the copy, in a folder of its own.
    private static func restored(_ copy: String, clock: TestClock) throws -> TestService {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "referrald-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let target = folder.appending(path: "test.db").path
        try FileManager.default.copyItem(atPath: copy, toPath: target)
        try FileManager.default.copyItem(
            atPath: copy + ".signing-key", toPath: target + ".signing-key")
        return try TestService(folder: folder, clock: clock)
    }

    @Test("after a restore a consumer that was further is told so, for good")
    func restore() throws {
        let stage = try MoneyStage()
        let service = stage.service
        defer { service.stop() }
        let copy = service.folder.appending(path: "copy.db").path
        try service.service.app.database.backup(to: copy)
        try FileManager.default.copyItem(
            atPath: service.folder.appending(path: "test.db.signing-key").path,
            toPath: copy + ".signing-key")
        func head(_ service: TestService) throws -> (text: String, feed: String, number: Int64) {
            let page = try service.get("/v1/events?limit=100")
            let text = try #require(page["next_cursor"]?.stringValue)
            let parts = text.split(separator: ".")
            return (text, String(parts[0]), try #require(Int64(parts[1])))
        }
        let before = try head(service)
        _ = try stage.lead("lost-in-the-restore")
        let after = try head(service)
        #expect(after.feed == before.feed && after.number > before.number)

        let second = try Self.restored(copy, clock: service.clock)
        let fresh = try head(second)
        #expect(fresh.feed != before.feed && fresh.number == before.number)
        func check(_ service: TestService) throws {
            let ahead = try service.get("/v1/events?after=\(after.text)")
            #expect(ahead.status == 409 && ahead.code == "cursor_ahead", "\(ahead.text)")
            // What both have is the same in both.
            #expect(try service.get("/v1/events?after=\(before.text)").status == 200)
        }
        try check(second)
        // Also once the copy has grown past it, with events of its own under the same numbers.
        for number in 0..<5 {
            _ = try MoneyStage(stage, reopenedBy: second).lead("new-\(number)")
        }
        #expect(try head(second).number > after.number)
        try check(second)
        // The mark is gone: it stays this feed.
        second.stop(keepingFiles: true)
        let third = try TestService(folder: second.folder, clock: service.clock)
        #expect(try head(third).feed == fresh.feed)
        third.stop()
        // Another start of the same copy is another history again.
        let fourth = try Self.restored(copy, clock: service.clock)
        defer { fourth.stop() }
        #expect(try head(fourth).feed != fresh.feed)
        #expect(try fourth.get("/v1/events?after=\(fresh.text)").code == "cursor_ahead")
        #expect(try head(service).feed == before.feed)
    }
}
