import Database
import LeadRegistration
import Model
import Programs

/// By which the prospect of a lead is known again in its program (R96). Mailboxes are customers.
struct LeadKeys {
    private let lead: Lead
    private let names: [QualificationTerms.DuplicateKey]
    private var keys: [(name: QualificationTerms.DuplicateKey, key: AccountKey)] = []

    /// `identity` is the lead's.
    init(_ lead: Lead, _ identity: AccountIdentity, _ program: Program) {
        self.lead = lead
        names = LeadRules.duplicateKeys(
            program.terms.qualification, isPartnerProgram: program.kind == .partner)
        if names.contains(.phone), let text = lead.contact.phone,
            let phone = PhoneNumber(text, country: lead.firm.country)
        {
            keys.append((.phone, .phone(phone)))
        }
        if names.contains(.domain), let key = identity.domainKey { keys.append((.domain, key)) }
        if names.contains(.company), let key = identity.companyKey {
            keys.append((.company, key))
        }
    }

    /// The earlier lead for the same prospect, by the first key that finds one.
    func earlier(ofNew isNewCustomer: Bool, _ tx: Transaction) throws -> EarlierLead? {
        if names.contains(.email), !isNewCustomer, let customer = lead.customer,
            let earlier = try LeadStore.earliest(of: customer, tx)
        {
            return EarlierLead(lead: earlier, key: .email)
        }
        for (name, key) in keys {
            if let earlier = try LeadStore.earliest(key, in: lead.program, tx) {
                return EarlierLead(lead: earlier, key: name)
            }
        }
        return nil
    }

    /// Has the prospect of `lead`, which these keys were made of, known again from now on: what
    /// only a second lead tells, as the first one's. What a robot typed counts for nothing.
    func keep(for lead: Lead, _ tx: Transaction) throws {
        guard lead.state != .spam else { return }
        for (_, key) in keys {
            try LeadStore.keep(key, of: lead.duplicateOf ?? lead.id, in: lead.program, tx)
        }
    }
}
