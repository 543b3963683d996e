import Dispatch
import JSON
import Model
import Platform
import Testing

@testable import App

/// What many people read at once is read on the loops, and refuses nobody.
struct ShortReadTests {
    @Test("sixty-four readers of balances and statements at once are all answered")
    func manyReaders() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for number in 0..<5 { _ = try stage.sale("\(number)", 10_000) }
        let token = try Scene.token(stage.service, of: stage.participant)
        let base = "/v1/participants/\(stage.participant)"
        let month = stage.service.clock.clock.now().rfc3339.prefix(7)
        let paths = [
            "/balance", "/statement", "/statement.csv", "/statement?month=\(month)", "/summary",
        ]
        let statuses = Locked<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 64) { number in
            for path in paths {
                let answer = try? stage.service.get(base + path, key: token)
                statuses.withLock { $0.append(answer?.status ?? 0) }
            }
        }
        let all = statuses.withLock { $0 }
        #expect(all.count == 64 * paths.count)
        #expect(all.allSatisfy { $0 == 200 }, "\(Set(all))")
    }

    @Test("a statement that is too long for a loop is the same, read elsewhere")
    func longStatement() throws {
        let stage = try MoneyStage()
        defer { stage.service.stop() }
        for number in 0..<80 { _ = try stage.sale("\(number)", 10_000 + Int64(number)) }
        let path = "/v1/participants/\(stage.participant)/statement"
        let whole = try stage.service.get(path)
        let lines = whole["lines"]?.arrayValue ?? []
        #expect(whole.status == 200 && lines.count == 160, "\(lines.count)")
        let rewards = try stage.rewards().compactMap {
            $0["amount"]?.objectValue?["amount"]?.integerValue
        }
        #expect(rewards.count == 80)
        #expect(whole["closing.available"] == .integer(rewards.reduce(0, +)))
        #expect(lines.last?.objectValue?["balance"] == whole["closing.available"])
        #expect(try stage.balance()[1] == whole["closing.available"]?.integerValue)
    }
}
