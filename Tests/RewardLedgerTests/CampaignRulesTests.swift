import JSON
import Model
import Testing

@testable import RewardLedger

@Suite struct CampaignRulesTests {
    private func campaign(from start: Int64 = 1_000, to end: Int64 = 2_000) -> Campaign {
        Campaign(
            id: CampaignID(high: 3, low: 1), program: ProgramID(high: 1, low: 2), name: "C",
            startsAt: Instant(milliseconds: start), endsAt: Instant(milliseconds: end),
            effect: .multiply(20_000), createdAt: Instant(milliseconds: 0),
            updatedAt: Instant(milliseconds: 0))
    }

    @Test("a campaign multiplies or overrides, not both, and is in the program's currency")
    func effects() throws {
        let dollar = try #require(Currency("USD"))
        let money = Money(amount: 5, currency: dollar)
        #expect(try CampaignRules.effect(multiplier: 10_000, override: nil) == .multiply(10_000))
        #expect(throws: CampaignRefusal.givesLess) {
            try CampaignRules.effect(multiplier: 9_999, override: nil)
        }
        #expect(try CampaignRules.effect(multiplier: nil, override: money) == .override(money))
        #expect(throws: CampaignRefusal.needsOneEffect) {
            try CampaignRules.effect(multiplier: nil, override: nil)
        }
        #expect(throws: CampaignRefusal.needsOneEffect) {
            try CampaignRules.effect(multiplier: 5, override: money)
        }
        let now = Instant(milliseconds: 1_999)
        try CampaignRules.check(campaign(), currency: dollar, at: now)
        #expect(throws: CampaignRefusal.inThePast) {
            try CampaignRules.check(
                campaign(), currency: dollar, at: Instant(milliseconds: 2_000))
        }
        #expect(throws: CampaignRefusal.endsBeforeStart) {
            try CampaignRules.check(campaign(from: 5, to: 5), currency: dollar, at: now)
        }
        var euro = campaign()
        euro.effect = .override(Money(amount: 5, currency: try #require(Currency("EUR"))))
        #expect(throws: CampaignRefusal.currencyMismatch) {
            try CampaignRules.check(euro, currency: dollar, at: now)
        }
    }

    @Test("a campaign of some products is for their sales, in any case of letters, not for leads")
    func products() {
        var campaign = campaign()
        campaign.products = ["Pro", "Team"]
        var facts = RewardFacts()
        facts.referredAt = campaign.startsAt
        let rule = RewardRuleID(high: 1, low: 1)
        #expect(!CampaignRules.applies(campaign, to: rule, facts))
        for (product, isMeant) in [("pro", true), ("TEAM", true), ("Prof", false)] {
            facts.product = product
            #expect(CampaignRules.applies(campaign, to: rule, facts) == isMeant, "\(product)")
            #expect(RewardFacts(json: facts.json.objectValue ?? [:]).product == product)
        }
    }

    @Test("a campaign is scheduled, active or ended by its times, and stays ended")
    func states() {
        for (now, state) in [
            (999, Campaign.State.scheduled), (1_000, .active), (1_999, .active), (2_000, .ended),
        ] {
            let instant = Instant(milliseconds: Int64(now))
            #expect(CampaignRules.state(campaign(), at: instant) == state)
        }
        var ended = campaign()
        ended.state = .ended
        #expect(CampaignRules.state(ended, at: Instant(milliseconds: 1_500)) == .ended)
    }

    @Test("a campaign changes before it starts only, and is ended once")
    func life() throws {
        try CampaignRules.checkMayChange(campaign(), at: Instant(milliseconds: 999))
        #expect(throws: CampaignRefusal.started) {
            try CampaignRules.checkMayChange(campaign(), at: Instant(milliseconds: 1_000))
        }
        let early = try CampaignRules.ended(campaign(), at: Instant(milliseconds: 10))
        #expect(early.endsAt == early.startsAt && early.state == .ended)
        let midway = try CampaignRules.ended(campaign(), at: Instant(milliseconds: 1_500))
        #expect(midway.endsAt.milliseconds == 1_500 && midway.version == 2)
        let late = try CampaignRules.ended(campaign(), at: Instant(milliseconds: 9_000))
        #expect(late.endsAt.milliseconds == 2_000)
        #expect(throws: InvalidTransition.self) {
            try CampaignRules.ended(late, at: Instant(milliseconds: 9_000))
        }
    }
}
