import JSON
import Model
import RewardLedger

/// `referrald verify-entry FILE`: checks the proof of one entry of the journal without the service.
enum VerifyEntry {
    /// The longest proof has about 10 MB.
    private static let bytesMax = 32 << 20

    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let path = arguments.operands[0]
        let saved = try SavedHead.read(arguments)
        guard let file = SmallFile.bytes(path, bytesMax: bytesMax) else {
            Terminal.error("referrald verify-entry: \(path) cannot be read.")
            return 1
        }
        guard let proof = EntryProofWire.proof(in: file) else {
            return refuse("the file is not byte for byte what the service writes.")
        }
        do throws(EntryProofFault) {
            try EntryProofRules.check(proof, against: saved)
        } catch {
            return refuse(words(error))
        }
        Terminal.print("ok: \(told(proof))")
        if saved == nil {
            Terminal.print("Compare this head with one that you kept, or name that with --head.")
        }
        return 0
    }

    private static func told(_ proof: EntryProof) -> String {
        let entry = proof.entry
        let amounts = entry.lines.map { "\($0.posting.account.rawValue) \($0.posting.amount)" }
            .joined(separator: ", ")
        return "entry \(entry.sequence) of \(proof.head.sequence) (\(entry.id), "
            + "\(entry.entry.kind.rawValue), posted \(entry.postedAt.rfc3339)), amounts in minor "
            + "units of \(entry.entry.currency.code): \(amounts), is part of the journal whose "
            + "head is \(proof.head)"
    }

    private static func refuse(_ why: String) -> Int32 {
        Terminal.error("NOT proved: \(why)")
        return 1
    }

    private static func words(_ fault: EntryProofFault) -> String {
        switch fault {
        case .entryChanged: "the entry is not what its hash was made of."
        case .numbersBroken: "the transactions do not count up to the head one by one."
        case .chainBroken: "the hashes do not lead to the head."
        case .otherHead: "it leads to another head than the one that was kept."
        }
    }
}
