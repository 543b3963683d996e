import Glibc
import Model

@testable import RewardLedger

/// What rules that give once for a customer, or so much in a month, ask of all rewards.
extension LedgerModel {
    /// Whether the rule has something that counts for the customer by another sale.
    func isPlaceTaken(
        _ rule: RewardRuleID, of customer: CustomerID, except sale: ConversionID
    ) -> Bool {
        (bought[customer] ?? []).contains {
            let reward = rewards[$0]
            return reward.rule == rule && reward.conversion != sale
                && reward.reversed < reward.amount
        }
    }

    func isPlaceTaken(_ reward: Entry) -> Bool {
        guard let rule = reward.rule, once.contains(rule), let customer = reward.customer,
            let sale = reward.conversion
        else { return false }
        return isPlaceTaken(rule, of: customer, except: sale)
    }

    /// Customers for whom such a rule gives by two sales.
    func onceFaults(_ rules: [RewardRuleID]) -> [String] {
        bought.flatMap { customer, places in
            rules.compactMap { rule in
                let sales = Set(
                    places.map { rewards[$0] }.filter {
                        $0.rule == rule && $0.reversed < $0.amount
                    }.map(\.conversion))
                return sales.count > 1 ? "\(customer): \(sales)" : nil
            }
        }
    }

    /// Whether a reward for the lead counts, or a person refused it.
    func isOpen(_ lead: LeadID) -> Bool {
        (brought[lead] ?? []).map { rewards[$0] }.contains {
            $0.isRefused || $0.reversed < $0.amount
        }
    }

    /// What still counts of what the rule gave to the participant in the month of `now`.
    func earned(_ participant: ParticipantID, by rule: RewardRuleID, at now: Instant) -> Int64 {
        let month = LedgerModel.month(now)
        return (own[participant] ?? []).reduce(0) { sum, place in
            let reward = rewards[place]
            guard reward.rule == rule, LedgerModel.month(reward.createdAt) == month else {
                return sum
            }
            return sum + reward.amount - reward.reversed
        }
    }

    private static func month(_ instant: Instant) -> [Int32] {
        var seconds = time_t(instant.milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return [parts.tm_year, parts.tm_mon]
    }

    /// Whether a person has decided about anything that the sale earned, or a payout has.
    func isDecided(_ sale: ConversionID) -> Bool {
        (places[sale] ?? []).contains {
            let reward = rewards[$0]
            return reward.payout != nil || reward.isRefused || reward.isApprovedByPerson
        }
            || (gifts[sale] ?? []).contains {
                $0.loss == .person
                    || $0.state != .voided && ($0.state == .fulfilled || $0.isApprovedByPerson)
            }
    }
}
