import Database
import HTTP
import Model
import Platform
import Programs
import ReferralLinks

/// `/r/{code}`: looks the link up, hands the click in, and sends the visitor on after its commit or
/// after 250 ms. One per loop, on the loop's thread: links and agents once seen are kept.
final class RedirectDoor {
    private let clicks: ClickDoor
    private let database: Database
    private let reader: TurnReader
    private let clock: Clock
    private let log: Log
    private let clientAddress: ClientAddress
    private let forwards: Forwards
    private let honorsDoNotTrack: Bool
    private var random = RandomPool()
    private var generation: UInt64 = 0
    private var links: [String: PreparedLink] = [:]
    private var agents: [String: ClickVerdict] = [:]

    /// Links kept before the memory is dropped and begun anew; at about 700 bytes each, 3 MB.
    private static let linksMax = 4096
    private static let agentsMax = 1024

    /// A link with all that decides where it leads.
    private struct PreparedLink {
        let sequence: Int64
        let target: RedirectTarget?
        let fallback: String?
        let state: Link.State
        let expiresAt: Instant?
        let isProgramOpen: Bool
        let isParticipantOpen: Bool
        /// By whose clocks its clicks are counted.
        let zone: TimeZone

        func availability(at now: Instant) -> LinkAvailability {
            LinkRules.availability(
                state: state, expiresAt: expiresAt, isProgramOpen: isProgramOpen,
                isParticipantOpen: isParticipantOpen, hasDestination: target != nil, at: now)
        }
    }

    init(app: Application, reader: TurnReader) {
        clicks = app.clicks
        database = app.database
        self.reader = reader
        clock = app.clock
        log = app.log
        clientAddress = app.clientAddress
        forwards = app.forwards
        honorsDoNotTrack = app.configuration.honorsDoNotTrack
    }

    func handle(_ request: Request, code: String, tag: Int, _ reply: Reply) -> Outcome {
        let link: PreparedLink?
        do {
            link = try find(code)
        } catch {
            let (response, line) = Failure.answer(to: error, requestID: request.id)
            if let line { log.write(.error, line, [("request_id", request.id)]) }
            return .answer(response.tagged(tag))
        }
        let now = clock.now()
        let isHit = request.method == .get
        guard let link else {
            if isHit { countUnknown(code, request, now) }
            return .answer(RedirectPage.unknown.tagged(tag))
        }
        if RedirectDoor.isPrefetch(request) {
            if isHit {
                record(
                    Click(
                        prefetch: ClickID(at: now, using: &random), link: link.sequence,
                        day: link.zone.day(of: now)))
            }
            return .answer(RedirectPage.notForPrefetch.tagged(tag))
        }
        if case .closed(let reason) = link.availability(at: now) {
            if isHit {
                let query = VisitorQuery(request.query)
                let id = ClickID(at: now, using: &random)
                record(click(id, request, link, query, now, closed: reason))
                clicks.countClosed()
            }
            guard let fallback = link.fallback else {
                return .answer(RedirectPage.gone.tagged(tag))
            }
            return .answer(RedirectPage.redirect(to: fallback, tag: tag))
        }
        guard let target = link.target else { return .answer(RedirectPage.gone.tagged(tag)) }
        let query = VisitorQuery(request.query)
        let id = ClickID(at: now, using: &random)
        let response = RedirectPage.redirect(
            to: target.location(click: id, query: query), tag: tag)
        guard isHit else { return .answer(response) }
        let click = click(id, request, link, query, now)
        guard clicks.intake.leave(PendingClick(click, redirect: (reply, response))) else {
            clicks.countUnrecorded(.queueFull)
            return .answer(response.clickRecorded("no"))
        }
        return .laterOr(milliseconds: ClickDoor.waitMilliseconds) { [clicks] in
            clicks.countUnrecorded(.pending)
            return response.clickRecorded("pending")
        }
    }

    // MARK: - The link

    /// The link of `code`, else of what is left of it without what a chat program glued on.
    private func find(_ text: String) throws -> PreparedLink? {
        if let link = try find(code: text) { return link }
        let bare = LinkCode.bare(text)
        return bare == text ? nil : try find(code: bare)
    }

    /// From memory while nothing was changed. Unknown codes are not kept: anybody can make them up.
    private func find(code: String) throws -> PreparedLink? {
        let current = database.configurationGeneration
        if current != generation || links.count >= RedirectDoor.linksMax {
            links.removeAll(keepingCapacity: true)
            generation = current
        }
        if let link = links[code] { return link }
        guard LinkCode.isWellFormed(code) else { return nil }
        let reader = try reader.current()
        guard let (link, sequence) = try LinkStore.locate(code: code, reader),
            let program = try ProgramStore.find(link.program, reader),
            let participant = try ParticipantStore.find(link.participant, reader)
        else { return nil }
        let prepared = RedirectDoor.prepared(link, sequence, program, participant)
        links[code] = prepared
        return prepared
    }

    private static func prepared(
        _ link: Link, _ sequence: Int64, _ program: Program, _ participant: Participant
    ) -> PreparedLink {
        let destination = link.destination ?? program.terms.destination
        return PreparedLink(
            sequence: sequence,
            target: destination.map { RedirectTarget($0, utm: link.utm, code: link.code) },
            // Never the link's own destination: one who is banned chose it.
            fallback: (program.terms.fallback ?? program.terms.destination)?.text,
            state: link.state, expiresAt: link.expiresAt, isProgramOpen: program.state != .ended,
            isParticipantOpen: participant.state == .approved, zone: program.terms.timeZone)
    }

    // MARK: - The click

    private func click(
        _ id: ClickID, _ request: Request, _ link: PreparedLink, _ query: VisitorQuery,
        _ now: Instant, closed reason: String? = nil
    ) -> Click {
        let agent = request.header("user-agent") ?? ""
        let referrer = request.header("referer").flatMap { ClickRules.referrerHost($0) }
        let embedding = ClickRules.embedding(fetchDestination: request.header("sec-fetch-dest"))
        let utm = query.isEmpty ? CampaignTags() : CampaignTags(query: query)
        var verdict = verdict(agent, referrer, embedding)
        if let reason, verdict.kind == .human { verdict = ClickVerdict(.human, reason) }
        return Click(
            id: id, link: link.sequence, verdict: verdict, visitor: visitor(request, agent, now),
            detail: Click.detail(utm: utm, referrerHost: referrer), day: link.zone.day(of: now))
    }

    /// Records a hit that nobody waits for.
    private func record(_ click: Click) {
        if !clicks.intake.leave(PendingClick(click, redirect: nil)) {
            clicks.countUnrecorded(.queueFull)
        }
    }

    /// Counts a person's hit on a code that nobody has: a misprint, as a rule.
    private func countUnknown(_ text: String, _ request: Request, _ now: Instant) {
        let code = LinkCode.bare(text)
        let agent = request.header("user-agent") ?? ""
        let embedding = ClickRules.embedding(fetchDestination: request.header("sec-fetch-dest"))
        guard LinkCode.isWellFormed(code), !RedirectDoor.isPrefetch(request),
            verdict(agent, nil, embedding).kind == .human
        else { return }
        _ = clicks.intake.leave(
            PendingClick(unknownCode: LinkCode.key(of: code), at: now))
    }

    /// The referrer rarely matters, so only the agent's part is kept.
    private func verdict(
        _ agent: String, _ referrer: String?, _ embedding: String?
    ) -> ClickVerdict {
        guard embedding == nil else {
            return ClickRules.classify(
                ClickFacts(
                    userAgent: agent, referrerHost: nil, isPrefetch: false, embeddedAs: embedding))
        }
        let known: ClickVerdict
        if let kept = agents[agent] {
            known = kept
        } else {
            known = ClickRules.classify(
                ClickFacts(userAgent: agent, referrerHost: nil, isPrefetch: false))
            if agents.count >= RedirectDoor.agentsMax { agents.removeAll(keepingCapacity: true) }
            // Long agents are made up, and would fill the memory.
            if agent.utf8.count <= 512 { agents[agent] = known }
        }
        guard known.kind == .human, referrer != nil else { return known }
        return ClickRules.classify(
            ClickFacts(userAgent: agent, referrerHost: referrer, isPrefetch: false))
    }

    /// Nil when the visitor objects: then nothing tells this click's visitor from another's.
    private func visitor(_ request: Request, _ agent: String, _ now: Instant) -> Int64? {
        if request.isUntracked(honorsDoNotTrack: honorsDoNotTrack) { return nil }
        let (address, finding) = clientAddress.client(of: request)
        forwards.note(finding, request.peer)
        return clicks.salts.visitor(address: address.visitorBytes, userAgent: agent, at: now)
    }

    /// Browsers say in one of five ways that nobody has clicked yet: Sec-Purpose (may carry
    /// `;prerender`), and Purpose, X-Purpose, X-Moz and X-Sec-Purpose of older ones and of
    /// libraries.
    private static func isPrefetch(_ request: Request) -> Bool {
        begins(request, "sec-purpose", "prefetch") || begins(request, "purpose", "prefetch")
            || begins(request, "x-purpose", "preview") || begins(request, "x-moz", "prefetch")
            || begins(request, "x-sec-purpose", "prefetch")
    }

    private static func begins(
        _ request: Request, _ name: StaticString, _ word: StaticString
    ) -> Bool {
        request.withHeader(name) { value in
            guard let value, value.count >= word.utf8CodeUnitCount else { return false }
            return word.withUTF8Buffer { word in
                value.prefix(word.count).elementsEqual(word) { $0 | 0x20 == $1 }
            }
        }
    }
}
