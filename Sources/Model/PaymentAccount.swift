/// An account that money goes to or comes from, as a payment system names it: an IBAN, an address,
/// a token. In one spelling, for comparing; it is never shown.
public struct PaymentAccount: Equatable, Sendable {
    /// A mailbox as `EmailAddress` normalises it; else letters and digits, in lower case.
    public let text: String
    /// For people: `…6789`, or `a…@example.com`. No account is spelled so.
    public let masked: String

    /// Nil for what is no account: a masked one, and words that stand for many, such as `unknown`,
    /// which have no digit.
    public init?(_ typed: String) {
        if let address = EmailAddress(typed) {
            text = address.normalized
            masked = address.masked
            return
        }
        let characters = typed.filter { $0.isLetter || $0.isNumber }
        guard characters.count >= 4, characters.contains(where: \.isNumber), !typed.contains("…")
        else { return nil }
        text = characters.lowercased()
        // Four of a short one would be most of it.
        masked = "…" + (characters.count >= 8 ? characters.suffix(4) : "")
    }
}
