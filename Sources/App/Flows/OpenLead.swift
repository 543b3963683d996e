import Attribution
import Database
import LeadRegistration
import Model
import Programs

/// The open lead of an account that somebody refers while another claims the account: once the
/// claim is approved it outranks every touch, and takes the credit of the lead's referrer.
enum OpenLead {
    /// The program's lead for the account, known again as a second lead would be (R96), where it is
    /// open and another than `participant` referred it.
    static func ofAnother(
        than participant: ParticipantID, _ identity: AccountIdentity, _ program: Program,
        _ reader: Reader
    ) throws -> Lead? {
        for id in try leads(identity, program, reader) {
            guard let lead = try LeadStore.find(id, reader), isOpen(lead.state),
                let referrer = lead.referrer.participant, referrer != participant
            else { continue }
            return lead
        }
        return nil
    }

    /// The claims of the lead's program that others than its referrer have on its account now,
    /// earliest first.
    static func claims(
        against lead: Lead, at instant: Instant, _ reader: Reader
    ) throws -> [Registration] {
        guard isOpen(lead.state), let referrer = lead.referrer.participant else { return [] }
        return try HoldAccount.holders(of: lead.identity, at: instant, reader).compactMap {
            try RegistrationStore.find($0.registration, reader)
        }.filter { $0.program == lead.program && $0.participant != referrer }
    }

    private static func isOpen(_ state: Lead.State) -> Bool {
        state.isWaiting || state == .qualified || state == .opportunity
    }

    private static func leads(
        _ identity: AccountIdentity, _ program: Program, _ reader: Reader
    ) throws -> [LeadID] {
        let names = LeadRules.duplicateKeys(
            program.terms.qualification, isPartnerProgram: program.kind == .partner)
        var found: [LeadID?] = []
        if names.contains(.email), let email = identity.email,
            let customer = try CustomerStore.find(
                email: email.normalized, in: program.id, reader)
        {
            found.append(try LeadStore.earliest(of: customer.id, reader))
        }
        let keys = [
            names.contains(.domain) ? identity.domainKey : nil,
            names.contains(.company) ? identity.companyKey : nil,
        ]
        for key in keys.compactMap({ $0 }) {
            found.append(try LeadStore.earliest(key, in: program.id, reader))
        }
        return found.compactMap { $0 }
    }
}
