import Attribution
import Database
import JSON
import Model
import Programs
import ReferralLinks

/// The hints of all reports of one sale, as if one report had given them: whichever came first.
struct UniteHints {
    private let all: [ResolvedHints]
    private let program: Program

    init(_ reports: [SaleReport], _ program: Program, _ tx: Transaction) throws {
        self.program = program
        all = try reports.map { report in
            try ResolveHints(Hints(report.hints.objectValue ?? [:]), tx)(in: program.id, tx)
        }
    }

    /// Oldest first, each once.
    var clicks: [ResolvedHints.Click] {
        all.flatMap(\.clicks).reduce(into: [ResolvedHints.Click]()) { list, click in
            if !list.contains(where: { $0.id == click.id }) { list.append(click) }
        }.sorted { ($0.origin.occurredAt, $0.id) < ($1.origin.occurredAt, $1.id) }
    }

    /// What a page carried and no click of any report left there, with the earliest time that a
    /// page gave.
    private var refs: [(link: Link, at: Instant?)] {
        let clicked = Set(clicks.map(\.origin.link)).union(all.flatMap(\.unclicked))
        var found: [(link: Link, at: Instant?)] = []
        for hints in all {
            guard let link = hints.ref, !clicked.contains(link.id) else { continue }
            if let place = found.firstIndex(where: { $0.link.id == link.id }) {
                let known = found[place].at
                found[place].at = known.map { min($0, hints.refAt ?? $0) } ?? hints.refAt
            } else {
                found.append((link, hints.refAt))
            }
        }
        return found
    }

    /// What a sale keeps of them: the newest click, and the first of each other name.
    func keep(in sale: inout Conversion) {
        sale.click = clicks.last?.id
        sale.ref = sale.ref ?? all.lazy.compactMap(\.carriedRef).first?.code
        sale.code = sale.code ?? all.lazy.compactMap(\.code).first?.code
        for hint in all.flatMap(\.ignored)
        where !sale.ignored.contains(hint) && sale.ignored.count < IgnoredHint.most {
            sale.ignored.append(hint)
        }
    }

    /// Makes the touches that the reports tell those that they tell together.
    func insertTouches(of sale: Conversion, _ tx: Transaction) throws {
        let place = TouchPlace(
            customer: sale.customer, source: program.kind.touchSource, lead: nil,
            conversion: sale.id)
        for click in clicks { _ = try place.insert(click, tx) }
        let contacts = contacts(of: sale)
        let person = try CustomerStore.person(sale.customer, tx).map(\.id)
        for touch in try TouchpointStore.told(by: sale.id, of: person, tx)
        where !contacts.contains(where: { $0.made(touch) }) {
            try TouchpointStore.remove(touch.id, tx)
        }
        for contact in contacts {
            switch contact.of {
            case .link(let link): _ = try place.insert(link, contact.kind, at: contact.at, tx)
            case .participant(let who): _ = try place.insert(who, at: contact.at, tx)
            }
        }
    }

    /// A touch without a click.
    private struct Contact {
        enum Source {
            case link(Link)
            case participant(Participant)
        }

        let of: Source
        let kind: Touchpoint.Kind
        let at: Instant

        func made(_ touch: Touchpoint) -> Bool {
            guard touch.kind == kind, touch.occurredAt == at else { return false }
            return switch of {
            case .link(let link): touch.link == link.id
            case .participant(let who): touch.participant == who.id && touch.link == nil
            }
        }
    }

    private func contacts(of sale: Conversion) -> [Contact] {
        var contacts: [Contact] = []
        for ref in refs {
            let time = ResolvedHints.time(ref.at, before: sale.occurredAt)
            contacts.append(Contact(of: .link(ref.link), kind: .ref, at: time))
        }
        for hints in all {
            if let code = hints.code {
                contacts.append(Contact(of: .link(code), kind: .code, at: sale.occurredAt))
            }
            if let told = hints.told {
                contacts.append(
                    Contact(of: .participant(told), kind: .contact, at: sale.occurredAt))
            }
        }
        return contacts
    }
}
