import Crypto
import Model

/// What somebody is known by again, beside address and name. Kept and compared as a keyed hash
/// alone: it tells that two are one, and of neither what it is.
public struct Trace: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case phone
        /// Where one is paid, or pays from.
        case account
        /// A device or browser, as the operator's app or fingerprinting names it.
        case device
        /// An address of the network on one day, and a browser at one. They were hashed by that
        /// day's key before, which is gone when the day is over.
        case address, browser
        /// A mailbox that a participant had before, or that several of the operator's ids have.
        case mailbox
        /// The operator's own id of a customer: compared, and kept of nobody.
        case customer
    }

    public let kind: Kind
    /// 16 bytes.
    let digest: [UInt8]
}

/// A trace as it was told, in one spelling. It goes no further than to be hashed.
public struct TraceValue: Sendable, Equatable {
    let kind: Trace.Kind
    let text: String

    public static func phone(_ phone: PhoneNumber) -> TraceValue {
        TraceValue(kind: .phone, text: phone.e164)
    }

    public static func account(_ account: PaymentAccount) -> TraceValue {
        TraceValue(kind: .account, text: account.text)
    }

    public static func mailbox(_ address: EmailAddress) -> TraceValue {
        TraceValue(kind: .mailbox, text: address.normalized)
    }

    public static func customer(_ externalID: String) -> TraceValue {
        TraceValue(kind: .customer, text: externalID)
    }

    public static func device(_ name: String) -> TraceValue {
        TraceValue(kind: .device, text: name)
    }

    /// `visitor` stands for the address on one day.
    public static func address(_ visitor: Int64) -> TraceValue {
        TraceValue(kind: .address, text: String(visitor))
    }

    /// `visitor` stands for the address and the browser's agent on one day, as a click's does.
    public static func browser(_ visitor: Int64) -> TraceValue {
        TraceValue(kind: .browser, text: String(visitor))
    }

    /// The kind is hashed too, so that the same text of two kinds tells nothing.
    func hashed(by key: [UInt8]) -> Trace {
        let code = HMAC.sha256(key: key, Array("\(kind.rawValue)\n\(text)".utf8))
        return Trace(kind: kind, digest: Array(code.prefix(16)))
    }
}
