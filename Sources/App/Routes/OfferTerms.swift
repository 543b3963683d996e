import Model
import Programs
import RewardLedger

/// The parts of an offer that follow from the program's terms, in sentences. Pure; English.
enum OfferTerms {
    /// The five conditions of R15, and what the program's profile of customers asks.
    static func qualification(_ program: Program) -> [String] {
        let terms = program.terms.qualification
        let days = OfferWords.count(terms.validityDays, "day")
        var words = [
            "The referral comes through your link, your code or the program's form.",
            "The person was no customer before you reached them, and the company is neither a "
                + "customer nor in the sales pipeline.",
            "The referral is at most \(days) old when it is qualified.",
            "The referral names a person who can be reached.",
        ]
        let profile = terms.profile
        if !profile.industries.isEmpty {
            words.append("The company's industry is \(OfferWords.list(profile.industries, "or")).")
        }
        if !profile.countries.isEmpty {
            words.append("The country is \(OfferWords.list(profile.countries, "or")).")
        }
        if !profile.useCases.isEmpty {
            words.append("The use case is \(OfferWords.list(profile.useCases, "or")).")
        }
        switch (profile.companySizeMin, profile.companySizeMax) {
        case (let least?, let most?):
            words.append("The company has \(least) to \(most) employees.")
        case (let least?, nil): words.append("The company has at least \(least) employees.")
        case (nil, let most?): words.append("The company has at most \(most) employees.")
        case (nil, nil): break
        }
        if let least = profile.estimatedValueMin {
            let money = OfferWords.money(Money(amount: least, currency: program.currency))
            words.append("The deal is worth at least \(money).")
        }
        return words
    }

    static func payment(_ program: Program) -> [String] {
        let terms = program.terms
        var words = [
            terms.holdDays == 0
                ? "A reward is not held, if its rule states no hold_days."
                : "A reward is held for \(OfferWords.count(terms.holdDays, "day")), if its rule "
                    + "states no other hold_days.",
            "A person may review a reward before it is approved.",
        ]
        if let days = terms.serviceLevels.creditBusinessDays {
            words.append(
                "A reward for a qualified referral is credited within "
                    + "\(OfferWords.count(days, "business day")) after its hold.")
        }
        if let days = terms.serviceLevels.payDays {
            words.append(
                "A reward for a win or a sale is paid within \(OfferWords.count(days, "day")) "
                    + "after its hold.")
        }
        let schedule = terms.payouts.schedule
        switch schedule.every {
        case .none: words.append("Approved rewards are paid when the operator makes a payout.")
        case .weekly: words.append("Payouts are made each \(weekday(schedule.day)).")
        case .monthly: words.append("Payouts are made on day \(schedule.day) of each month.")
        }
        if terms.payouts.minimum > 0 {
            let least = OfferWords.money(
                Money(amount: terms.payouts.minimum, currency: program.currency))
            words.append("A payout is made once \(least) is due; less waits for the next payout.")
        }
        return words
    }

    static func cancellation(_ program: Program) -> [String] {
        var words = [
            "If a sale is refunded in part, its reward becomes what the same rule gives for the "
                + "rest of the sale.",
            "If a sale is refunded or cancelled in whole, its reward is taken back.",
            "If every sale of a referral is refunded in whole, the reward for winning it is "
                + "taken back.",
            "If a reward that is taken back was paid, the next payouts are smaller by that amount.",
            "If a refund is reversed, the reward that it took is given back, if no other sale "
                + "took its place.",
            "If a referral is lost before it was won, what it earned before stays.",
            "If a referral is disqualified or a duplicate, what it earned and was not paid is "
                + "taken back.",
        ]
        if let days = program.terms.clawbackDays {
            words.append(
                "If it was paid, it can be taken back within \(OfferWords.count(days, "day")) of "
                    + "its grant, with a reason.")
        } else {
            words.append("If it was paid, it stays.")
        }
        return words
    }

    static func sentence(_ campaign: Campaign) -> String {
        var words =
            switch campaign.effect {
            case .multiply(let points) where points % 10_000 == 0:
                "Rewards are multiplied by \(points / 10_000)"
            case .multiply(let points): "Rewards are \(OfferWords.percent(points)) of the usual"
            case .override(let money): "A reward of money becomes \(OfferWords.money(money))"
            }
        words += " for referrals that come in from \(campaign.startsAt.rfc3339)"
        words += " and before \(campaign.endsAt.rfc3339)"
        if !campaign.industries.isEmpty {
            words += ", in \(OfferWords.list(campaign.industries, "or"))"
        }
        if !campaign.countries.isEmpty {
            words += ", from \(OfferWords.list(campaign.countries, "or"))"
        }
        if !campaign.products.isEmpty {
            words += ", for \(OfferWords.list(campaign.products, "or"))"
        }
        if let first = campaign.first {
            words += ", for the first \(OfferWords.count(first, "referral"))"
        }
        return words + "."
    }

    private static func weekday(_ day: Int64) -> String {
        let names = [
            "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
        ]
        return (1...7).contains(day) ? names[Int(day) - 1] : "a weekday"
    }
}
