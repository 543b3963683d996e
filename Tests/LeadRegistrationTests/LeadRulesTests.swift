import LeadRegistration
import Model
import Testing

@Suite("Rules of leads")
struct LeadRulesTests {
    @Test("every state allows exactly the actions of the published table")
    func lifecycle() {
        let table: [Lead.State: [Lead.State.Action: Lead.State]] = [
            .submitted: [
                .qualify: .qualified, .disqualify: .disqualified, .nurture: .nurture,
                .attach: .duplicate,
            ],
            .qualified: [
                .disqualify: .disqualified, .advance: .opportunity, .win: .won, .lose: .lost,
            ],
            .opportunity: [.win: .won, .lose: .lost], .won: [.lose: .lost],
            .nurture: [.qualify: .qualified, .disqualify: .disqualified, .reopen: .submitted],
            .disqualified: [.reopen: .submitted], .lost: [.reopen: .submitted],
            .duplicate: [.reopen: .submitted, .attach: .duplicate], .spam: [.reopen: .submitted],
        ]
        for state in Lead.State.allCases {
            for action in Lead.State.Action.allCases {
                #expect(state.after(action) == table[state]?[action], "\(state) \(action)")
            }
        }
    }

    @Test("a second lead for a mailbox is a duplicate that names the first")
    func duplicate() {
        let earlier = LeadID(high: 9, low: 9)
        let admission = LeadRules.admit(
            isHoneypotFilled: false, earlier: EarlierLead(lead: earlier, key: .email))
        #expect(admission == .duplicate(of: earlier, by: .email))
        #expect(admission.state == .duplicate)
        #expect(admission.reasonCode == "same_email")
    }

    @Test("a filled honeypot makes spam, whoever is known")
    func spam() {
        let admission = LeadRules.admit(
            isHoneypotFilled: true, earlier: EarlierLead(lead: LeadID(high: 9, low: 9), key: .email)
        )
        #expect(admission.state == .spam)
        #expect(admission.reasonCode == "honeypot")
    }

    @Test("the same posted fields have the same digest in any order, and no others do")
    func digest() {
        let fields = [("name", "Ann"), ("email", "ann@example.com"), ("note", "")]
        let digest = LeadRules.formDigest(fields)
        #expect(digest.count == 16)
        #expect(LeadRules.formDigest(fields.reversed()) == digest)
        #expect(LeadRules.formDigest([("name", "Anne"), ("email", "ann@example.com")]) != digest)
        // Without lengths before the parts these two would run together.
        #expect(LeadRules.formDigest([("ab", "c")]) != LeadRules.formDigest([("a", "bc")]))
    }
}
