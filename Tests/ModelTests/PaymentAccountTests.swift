import Model
import Testing

/// Payment accounts in one spelling, and as people may see them.
struct PaymentAccountTests {
    @Test(
        "an account is compared in one spelling and shown masked",
        arguments: [
            ("DE89 3704 0044 0532 0130 00", "de89370400440532013000", "…3000"),
            ("de89-3704-0044-0532-0130-00", "de89370400440532013000", "…3000"),
            ("acct_1Ab2Cd6789", "acct1ab2cd6789", "…6789"), ("1234567", "1234567", "…"),
            ("12345678", "12345678", "…5678"),
            (" Ada.B+pay@Gmail.com", "adab@gmail.com", "A…@gmail.com"),
        ])
    func spelling(typed: String, text: String, masked: String) {
        let account = PaymentAccount(typed)
        #expect(account?.text == text)
        #expect(account?.masked == masked)
    }

    @Test(
        "what stands for many, says next to nothing or is masked is no account",
        arguments: ["", "unknown", "PayPal", "--", "1", "a-1", "…6789", "a…@pay1.example"])
    func none(typed: String) { #expect(PaymentAccount(typed) == nil) }
}
