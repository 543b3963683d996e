import Crypto
import JSON
import LeadRegistration
import Model

/// `referrald verify-receipt FILE`: checks a receipt without the service.
enum VerifyReceipt {
    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let path = arguments.operands[0]
        guard let file = SmallFile.bytes(path) else {
            Terminal.error("referrald verify-receipt: \(path) cannot be read.")
            return 1
        }
        let keys = try publicKeys(arguments.options["--key"], configuration)
        do throws(ReceiptFault) {
            let body = try ReceiptRules.check(file, publicKeys: keys)
            Terminal.print(
                "ok: receipt \(body.sequence) of \(body.registration), issued "
                    + "\(body.issuedAt.rfc3339) to \(body.participant)")
            return 0
        } catch {
            Terminal.error("NOT a receipt: \(words(error))")
            return 1
        }
    }

    private static func publicKeys(
        _ option: String?, _ configuration: Configuration
    ) throws -> [[UInt8]] {
        guard let option else {
            guard let key = try SigningKey.publicKey(at: configuration.signingKeyPath) else {
                throw UsageError(
                    description: "there is no key file here; give the public key with --key.")
            }
            return [key]
        }
        if let key = Hex.decode(option), key.count == 32 { return [key] }
        guard let text = SmallFile.bytes(option),
            let object = (try? JSONValue.parse(text))?.objectValue
        else {
            throw UsageError(description: "--key is neither 64 hexadecimal digits nor a file.")
        }
        let earlier = object["earlier"]?.arrayValue?.compactMap(\.objectValue) ?? []
        let keys = ([object] + earlier).compactMap {
            $0["public_key"]?.stringValue.flatMap { Hex.decode($0) }
        }
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else {
            throw UsageError(description: "the file of --key holds no public key.")
        }
        return keys
    }

    private static func words(_ fault: ReceiptFault) -> String {
        switch fault {
        case .notCanonical: "the file is not byte for byte what the service writes."
        case .otherKey(let id): "it was signed by another key, \(id)."
        case .badSignature: "the signature does not hold."
        case .otherAccount: "the account is not the one that was fingerprinted."
        }
    }
}
