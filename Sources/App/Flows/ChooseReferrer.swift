import Attribution
import Database
import LeadRegistration
import Model
import Programs
import ReferralLinks

/// Who referred a lead: whom the operator names, else whom the strongest hint does. Pure.
struct ReferrerChoice: Sendable {
    private(set) var referrer = Referrer.nobody
    /// The member that decided; nil when nobody is known.
    private(set) var by: String?
    /// The rule by which the one who was named may not refer.
    private(set) var ineligible: String?
    /// What the hints named, and in `ignored` what was of no use for it.
    private(set) var hints: ResolvedHints

    private struct Candidate {
        let participant: ParticipantID
        let link: LinkID?
        let click: ClickID?
        let by: String
        /// The hint that is left out where it names another than the one who decides.
        let hint: (name: HintName, value: String)?
    }

    /// In the order of strength: the operator's word, a typed code (where codes go first), the
    /// click that the model asks for, the page's `ref`, whom somebody told.
    init(named: ParticipantID?, _ hints: ResolvedHints, _ model: AttributionModel, codesFirst: Bool)
    {
        self.hints = hints
        let candidates = ReferrerChoice.candidates(named, hints, model, codesFirst: codesFirst)
        guard let first = candidates.first else { return }
        let own = candidates.filter { $0.participant == first.participant }
        referrer = Referrer(
            participant: first.participant, link: own.lazy.compactMap(\.link).first,
            click: own.lazy.compactMap(\.click).first)
        by = first.by
        for other in candidates where other.participant != first.participant {
            guard let (name, value) = other.hint else { continue }
            self.hints.leaveOut(name, value, .otherParticipant)
        }
    }

    /// The same when that one may not refer: nobody did.
    mutating func leaveOut(because refusal: ParticipantRefusal) {
        let name = by.flatMap { HintName(rawValue: $0) }
        if case .notEligible(let rule) = refusal { ineligible = rule.rawValue }
        if let name {
            hints.leaveOut(
                name, hints.value(of: name, referrer),
                ineligible == nil ? .notApproved : .notEligible)
        }
        referrer = .nobody
        by = nil
    }

    private static func candidates(
        _ named: ParticipantID?, _ hints: ResolvedHints, _ model: AttributionModel,
        codesFirst: Bool
    ) -> [Candidate] {
        var found: [Candidate] = []
        func add(_ link: Link?, _ name: HintName, isTouch: Bool) {
            guard let link else { return }
            found.append(
                Candidate(
                    participant: link.participant, link: link.id, click: nil, by: name.rawValue,
                    hint: isTouch ? nil : (name, link.code)))
        }
        if let named {
            found.append(
                Candidate(
                    participant: named, link: nil, click: nil, by: "participant_id", hint: nil))
        }
        if codesFirst { add(hints.code, .code, isTouch: false) }
        for click in model == .firstTouch ? hints.clicks : hints.clicks.reversed() {
            found.append(
                Candidate(
                    participant: click.origin.participant, link: click.origin.link,
                    click: click.id, by: HintName.click.rawValue, hint: nil))
        }
        // One that says when the page got it is a touch of that time, whoever refers the lead.
        add(hints.ref, .ref, isTouch: hints.refAt != nil)
        if !codesFirst { add(hints.code, .code, isTouch: false) }
        if let told = hints.told {
            found.append(
                Candidate(
                    participant: told.id, link: nil, click: nil,
                    by: HintName.referrerEmail.rawValue,
                    hint: (.referrerEmail, told.email.text)))
        }
        return found
    }
}

extension ResolvedHints {
    /// What was given under this name for the referrer.
    fileprivate func value(of name: HintName, _ referrer: Referrer) -> String? {
        switch name {
        case .click: referrer.click?.description
        case .ref: ref?.code
        case .code: code?.code
        case .referrerEmail: told?.email.text
        case .refAt, .customerEmail: nil
        }
    }
}

// MARK: - Touches

extension ReferrerChoice {
    /// Inserts the touches that led to `lead` and returns those that were not known: each click at
    /// its own time, a `ref` that has a time at that, a code at the lead's. The lead itself is one
    /// beside.
    ///
    /// A second lead for a prospect is no new contact with it, or whoever sends a known address to
    /// the form would take the credit of who was first. A click is one.
    func insertTouches(
        of lead: Lead, _ kind: Program.Kind, isFirst: Bool, _ tx: Transaction
    ) throws -> [Touchpoint] {
        guard let customer = lead.customer else { return [] }
        var touches = try hints.insertClicks(of: customer, kind, lead: lead.id, tx)
        guard isFirst else { return touches }
        let place = TouchPlace(customer: customer, source: kind.touchSource, lead: lead.id)
        if let ref = hints.ref, let refAt = hints.refAt {
            let time = ResolvedHints.time(refAt, before: lead.referralTime)
            if time < lead.referralTime || ref.participant != referrer.participant {
                touches += try place.insert(ref, .ref, at: time, tx)
            }
        }
        if let code = hints.code, code.participant == referrer.participant {
            touches += try place.insert(code, .code, at: lead.referralTime, tx)
        }
        return touches
    }
}
