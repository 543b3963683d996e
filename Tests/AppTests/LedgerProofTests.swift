import Crypto
import Foundation
import JSON
import RewardLedger
import Testing

@testable import App

/// Proofs of single entries as files, checked offline, and heads that were kept.
struct LedgerProofTests {
    private func stage() throws -> (MoneyStage, [String]) {
        let stage = try MoneyStage()
        for name in ["one", "two", "three"] { _ = try stage.sale(name, 12_345) }
        _ = try stage.paid("p1")
        let ids = try stage.service.get("/v1/ledger/transactions?limit=100").ids
        return (stage, ids.reversed())
    }

    private func path(_ id: String) -> String { "/v1/ledger/transactions/\(id)/proof" }

    @Test("a proof is accepted as it was given, and refused after any single byte is changed")
    func everyByte() throws {
        let (stage, ids) = try stage()
        defer { stage.service.stop() }
        let file = try stage.service.get(path(ids[4]) + "?through=7").body
        func isProof(_ file: [UInt8]) -> Bool {
            guard let proof = EntryProofWire.proof(in: file) else { return false }
            return (try? EntryProofRules.check(proof)) != nil
        }
        #expect(isProof(file))
        #expect(isProof(file + Array("\n".utf8)))
        var accepted: [Int] = []
        for place in file.indices {
            for change: UInt8 in [1, 2, 0x20, 0x80] {
                var changed = file
                changed[place] ^= change
                if isProof(changed) { accepted.append(place) }
            }
            var shorter = file
            let byte = shorter.remove(at: place)
            if isProof(shorter) { accepted.append(place) }
            var longer = file
            longer.insert(byte, at: place)
            if isProof(longer) { accepted.append(place) }
        }
        #expect(accepted == [])
    }

    @Test("the answer has the entry, what follows it up to the head, and the head")
    func answer() throws {
        let (stage, ids) = try stage()
        defer { stage.service.stop() }
        let newest = try stage.service.get("/v1/ledger/head")
        let whole = try stage.service.get(path(ids[0]))
        let entry = try stage.service.get("/v1/ledger/transactions/\(ids[0])").json
        #expect(whole["entry"] == .object(entry))
        #expect(whole["following"]?.arrayValue?.count == ids.count - 1)
        #expect(whole["head.hash"] == newest["hash"])
        let own = try stage.service.get(path(ids[2]) + "?through=3")
        #expect(own["following"] == [])
        #expect(own["head.hash"] == own["entry.hash"])
    }

    @Test("a head before the entry, one that there is not, and an entry of nobody are refused")
    func refusals() throws {
        let (stage, ids) = try stage()
        defer { stage.service.stop() }
        let before = try stage.service.get(path(ids[4]) + "?through=4")
        #expect(before.status == 422 && before.code == "head_before_entry")
        let later = try stage.service.get(path(ids[4]) + "?through=99")
        #expect(later.status == 422 && later.code == "no_such_head")
        #expect(try stage.service.get(path("ltxn_01h455vb4pex5vsknk084sn02q")).status == 404)
        #expect(try stage.service.get(path(ids[0]) + "?through=0").status == 400)
    }

    @Test("verify-entry accepts a saved proof with a head that was kept, and refuses the rest")
    func command() throws {
        let (stage, ids) = try stage()
        defer { stage.service.stop() }
        func save(_ name: String, _ bytes: [UInt8]) throws -> String {
            let file = stage.service.folder.appending(path: name)
            try Data(bytes).write(to: file)
            return file.path
        }
        let kept = try stage.service.get("/v1/ledger/head")
        let sequence = try #require(kept.json["sequence"]?.integerValue)
        let head = try save("head.json", kept.body)
        _ = try stage.sale("later", 500)
        let whole = try stage.service.get(path(ids[1]))
        let proof = try save("proof.json", whole.body)
        let dated = try save(
            "dated.json", stage.service.get(path(ids[1]) + "?through=\(sequence)").body)
        let forged = try save(
            "forged.json",
            Array(whole.text.replacingOccurrences(of: "1234", with: "9234").utf8))
        func run(_ words: String...) -> Int32 {
            Referrald.run(["verify-entry"] + words, environment: [:])
        }
        #expect(run(proof) == 0)
        #expect(run(dated, "--head", head) == 0)
        #expect(run(dated, "--head", "\(sequence):\(try #require(kept["hash"]?.stringValue))") == 0)
        #expect(run(proof, "--head", head) == 1)
        #expect(run(forged) == 1)
        #expect(run(head) == 1)
        #expect(run(proof + "-none") == 1)
        #expect(run(proof, "--head", proof + "-none") == 2)
        #expect(run(proof, "--head", proof) == 2)
    }

    @Test("verify holds the journal to a head that was kept, with and without a daemon")
    func savedHead() throws {
        let (stage, _) = try stage()
        let service = stage.service
        defer { try? FileManager.default.removeItem(at: service.folder) }
        let kept = try service.get("/v1/ledger/head")
        let sequence = try #require(kept.json["sequence"]?.integerValue)
        let hash = try #require(kept["hash"]?.stringValue)
        let file = service.folder.appending(path: "head.json")
        try Data(kept.body).write(to: file)
        _ = try stage.sale("later", 500)
        let database = service.service.app.configuration.databasePath
        func verify(_ head: String) -> Int32 {
            Referrald.run(["verify", "--database", database, "--head", head], environment: [:])
        }
        for isServing in [true, false] {
            if !isServing { service.stop(keepingFiles: true) }
            #expect(verify(file.path) == 0)
            #expect(verify("\(sequence):\(hash)") == 0)
            #expect(verify("\(sequence + 1):\(hash)") == 1)
            #expect(verify("\(sequence + 100):\(hash)") == 1)
            #expect(verify("head") == 2)
        }
    }
}
