import Model
import Programs
import RewardLedger

/// What a rule or a campaign promises, in sentences of exact figures and events (R14): "You get
/// $200 in cash for each person you refer who signs up." Pure; English.
enum OfferWords {
    /// What a rule gives, to whom, for what. Whom it is for is said where nobody in particular
    /// reads it.
    static func sentence(_ terms: RewardTerms, forAll: Bool) -> String {
        let isReferrer = terms.recipient == .referrer
        var text = isReferrer ? "You get " : "The person you refer gets "
        text += gift(terms)
        if let occasion = OfferOccasions.words(terms) { text += " " + occasion }
        if let least = terms.minSale { text += ", if the sale comes to at least \(money(least))" }
        if let months = terms.firstMonths {
            text += ", within \(count(months, "month")) of the first paid sale"
        }
        switch terms.customers {
        case .new?: text += ", if that person was not a customer before"
        case .returning?: text += ", if that person was a customer before"
        case .any?, nil: break
        }
        if let first = terms.first {
            text += ", for the first \(count(first, "referral")) of the program"
        }
        if let products = terms.products { text += ", for \(list(products, "or"))" }
        if forAll {
            if let kinds = terms.participantKinds {
                text += ", for participants of the kind \(list(kinds, "or"))"
            }
            if let segments = terms.segments {
                text += ", for participants in the segment \(list(segments, "or"))"
            }
        }
        text += "."
        if let tiers = terms.tiers {
            text += tierWords(tiers)
        }
        return text
    }

    /// The parts of limits, a sentence each, as they are counted for rules of this unit.
    static func limits(
        _ limits: RewardLimits, in unit: RewardTerms.Unit, _ currency: Currency
    ) -> [String] {
        limits.all.map { limit in
            let most =
                switch unit {
                case .money: money(Money(amount: limit.most, currency: currency))
                case .points: count(limit.most, "point")
                case .pieces: count(limit.most, "reward") + " without an amount"
                }
            return switch limit.name {
            case .participantTotal: "At most \(most) for all your referrals."
            case .participantYear: "At most \(most) in a calendar year."
            case .participantQuarter: "At most \(most) in a calendar quarter."
            case .participantMonth: "At most \(most) in a calendar month."
            case .referee: "At most \(most) for one referred person."
            }
        }
    }

    /// `$200`, `€19.99`, `1500 KWD`: without decimals where they are zero.
    static func money(_ money: Money) -> String {
        if money.currency == .points { return count(money.amount, "point") }
        var decimal = money.decimal
        if let point = decimal.firstIndex(of: "."),
            decimal[decimal.index(after: point)...].allSatisfy({ $0 == "0" })
        {
            decimal = String(decimal[..<point])
        }
        return switch money.currency.code {
        case "USD": "$" + decimal
        case "EUR": "€" + decimal
        case "GBP": "£" + decimal
        default: "\(decimal) \(money.currency.code)"
        }
    }

    static func percent(_ basisPoints: Int64) -> String {
        let (whole, rest) = basisPoints.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)%" }
        return rest % 10 == 0
            ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
    }

    static func count(_ number: Int64, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    /// Long lists are cut: a sentence is read by people.
    static func list(_ words: [String], _ last: String) -> String {
        let most = 6
        guard words.count > 1, let end = words.last else { return words.first ?? "" }
        if words.count > most {
            return words.prefix(most).joined(separator: ", ")
                + " \(last) \(words.count - most) more"
        }
        return words.dropLast().joined(separator: ", ") + " \(last) " + end
    }

    // MARK: - What

    private static func gift(_ terms: RewardTerms) -> String {
        if let tiers = terms.tiers {
            let counted = tiers.counts == .qualified ? "qualified referral" : "new customer"
            let levels = tiers.levels.map { level in
                "\(rate(level.rate, terms)) from your \(ordinal(level.from)) \(counted) on"
            }
            return list(levels, "and") + form(terms)
        }
        if let rate = terms.rate { return self.rate(rate, terms) + form(terms) }
        if let points = terms.gift.points { return count(points, "point") }
        if let discount = terms.gift.discount {
            var text = "\(percent(discount)) off" + duration(terms)
            if let most = terms.gift.discountMost {
                text += " (all open discounts together: at most \(percent(most)))"
            }
            return text
        }
        var text = terms.gift.description ?? "a perk"
        if let value = terms.gift.value { text += " (worth \(money(value)))" }
        return text
    }

    private static func rate(_ rate: RewardTerms.Rate, _ terms: RewardTerms) -> String {
        switch rate {
        case .flat(let money): return self.money(money)
        case .basisPoints(let points, let least, let most):
            var text =
                percent(points) + (terms.trigger.isConversion ? " of the sale" : " of the deal")
            let bounds = [
                least.map { "at least \(money($0))" }, most.map { "at most \(money($0))" },
            ].compactMap { $0 }
            if !bounds.isEmpty { text += " (\(bounds.joined(separator: ", ")))" }
            return text
        }
    }

    private static func form(_ terms: RewardTerms) -> String {
        switch terms.kind {
        case .cash: return " in cash"
        case .accountCredit: return " of account credit"
        case .giftCard: return " as a gift card"
        case .donation:
            return " as a donation" + (terms.gift.description.map { " to \($0)" } ?? "")
        case .choice:
            return " as \(list(terms.choice.kinds.map { word($0) }, "or")), as you choose,"
        case .discount: return " off"
        case .points: return ""
        case .perk: return terms.gift.description.map { " for \($0)" } ?? ""
        }
    }

    private static func word(_ kind: RewardRule.Kind) -> String {
        switch kind {
        case .cash: "cash"
        case .accountCredit: "account credit"
        case .giftCard: "a gift card"
        case .donation: "a donation"
        case .discount: "a discount"
        case .points: "points"
        case .perk: "a perk"
        case .choice: "one of several"
        }
    }

    private static func duration(_ terms: RewardTerms) -> String {
        switch terms.gift.duration {
        case .months(let months)?: " invoices of \(count(months, "month"))"
        case .forever?: " all invoices"
        case .once?, nil: " one invoice"
        }
    }

    private static func tierWords(_ tiers: RewardTiers) -> String {
        var text = ""
        if let period = tiers.period { text += " Referrals are counted by \(period.rawValue)." }
        if tiers.isRetroactive { text += " A new level raises the rewards before it, too." }
        return text
    }

    private static func ordinal(_ number: Int64) -> String {
        switch (number % 100, number % 10) {
        case (11...13, _): "\(number)th"
        case (_, 1): "\(number)st"
        case (_, 2): "\(number)nd"
        case (_, 3): "\(number)rd"
        default: "\(number)th"
        }
    }
}

/// For what a rule gives, in words.
enum OfferOccasions {
    /// Nil where no event is waited for.
    static func words(_ terms: RewardTerms) -> String? {
        if terms.trigger == .milestone { return milestone(terms) }
        let isOnce = terms.oncePer == .customer
        return terms.recipient == .referrer
            ? referrer(terms, isOnce: isOnce) : referee(terms, isOnce: isOnce)
    }

    private static func milestone(_ terms: RewardTerms) -> String? {
        guard let stone = terms.milestone else { return nil }
        let what = stone.counts == .qualified ? "qualified" : "won"
        return "once \(OfferWords.count(stone.at, "referral")) of yours "
            + (stone.at == 1 ? "is \(what)" : "are \(what)")
    }

    private static func referrer(_ terms: RewardTerms, isOnce: Bool) -> String? {
        let person = "for each person you refer"
        switch terms.trigger {
        case .leadSubmitted: return isOnce ? person : "for each referral"
        case .leadQualified:
            return isOnce ? person + " who is qualified" : "for each referral that is qualified"
        case .leadOpportunity:
            return (isOnce ? person + " who" : "for each referral that")
                + " becomes an opportunity"
        case .leadWon:
            return isOnce ? person + " who becomes a customer" : "for each referral that is won"
        case .signup, .purchase, .renewal, .upsell, .conversion:
            let kinds = kinds(terms)
            if isOnce { return person + " who " + OfferWords.list(kinds.map(\.verb), "or") }
            return "for each \(OfferWords.list(kinds.map(\.noun), "or")) of a person you referred"
        case .milestone, .manual: return nil
        }
    }

    private static func referee(_ terms: RewardTerms, isOnce: Bool) -> String? {
        switch terms.trigger {
        case .leadSubmitted: return isOnce ? "once you have referred them" : "for each referral"
        case .leadQualified:
            return isOnce
                ? "once the referral is qualified" : "for each referral that is qualified"
        case .leadOpportunity:
            return isOnce
                ? "once the referral becomes an opportunity"
                : "for each referral that becomes an opportunity"
        case .leadWon:
            return isOnce ? "once the referral is won" : "for each referral that is won"
        case .signup, .purchase, .renewal, .upsell, .conversion:
            let nouns = OfferWords.list(kinds(terms).map(\.noun), "or")
            return isOnce ? "once, for a \(nouns)" : "for each \(nouns)"
        case .milestone, .manual: return nil
        }
    }

    /// What its trigger and its `conversion_kinds` leave of sales and sign-ups.
    private static func kinds(_ terms: RewardTerms) -> [(noun: String, verb: String)] {
        let all = [
            (kind: "signup", noun: "sign-up", verb: "signs up"),
            (kind: "purchase", noun: "purchase", verb: "buys"),
            (kind: "renewal", noun: "renewal", verb: "renews"),
            (kind: "upsell", noun: "upgrade", verb: "upgrades"),
        ]
        let named =
            terms.trigger == .conversion ? terms.conversionKinds : [terms.trigger.rawValue]
        guard let named else {
            return terms.isShare
                ? [("sale", "buys")] : [("sale", "buys"), ("sign-up", "signs up")]
        }
        return all.filter { named.contains($0.kind) }.map { ($0.noun, $0.verb) }
    }
}
