import Model

/// Why a link is refused. The order is the order of the checks.
public enum LinkRefusal: Error, Equatable, Sendable {
    /// Neither the link nor its program says where to lead.
    case noDestination
    /// A participant may only lead to the program's own sites, or the operator's name would vouch
    /// for any.
    case destinationNotAllowed
    /// A word that pages and programs mean something else by, or a coupon of the program's shop.
    /// The operator may have it.
    case codeReserved(mayForce: Bool)
    /// From a participant's token: shorter than four characters.
    case codeTooShort
    /// Somebody has the code, in whatever case, disabled links included: a printed code keeps its
    /// meaning.
    case codeTaken
    /// From a participant's token: another participant's code but for one letter.
    case codeSimilar
    /// No free code was found in `LinkRules.codeAttemptsMax` draws.
    case noFreeCode
}

/// Decisions about links: pure, without clock or storage.
public enum LinkRules {
    /// Draws of a code before giving up. With 24^8 codes even a billion links leave one draw in a
    /// hundred taken, so that this many in a row mean a broken source of random numbers.
    public static let codeAttemptsMax = 16

    public static func checkDestination(
        _ link: WebURL?, program: WebURL?
    ) throws(LinkRefusal) {
        if link == nil && program == nil { throw .noDestination }
    }

    /// Where a participant's own token may lead: the origins of the program's destination and its
    /// allowed origins.
    public static func checkParticipantDestination(
        _ link: WebURL?, program: WebURL?, allowedOrigins: [String]
    ) throws(LinkRefusal) {
        guard let origin = link?.origin else { return }
        guard origin == program?.origin || allowedOrigins.contains(origin) else {
            throw .destinationNotAllowed
        }
    }

    /// What a code may be that somebody chooses. `isForced`: the operator wants it all the same.
    public static func checkChoice(
        _ code: String, reserved: [String], isParticipant: Bool, isForced: Bool
    ) throws(LinkRefusal) {
        if isParticipant || !isForced,
            LinkCode.isReserved(code) || LinkCode.isAmong(reserved, code)
        {
            throw .codeReserved(mayForce: !isParticipant)
        }
        if isParticipant, code.utf8.count < participantCodeMin { throw .codeTooShort }
    }

    public static let participantCodeMin = 4

    public static func checkCode(
        isTaken: Bool, isSimilar: Bool = false
    ) throws(LinkRefusal) {
        if isTaken { throw .codeTaken }
        if isSimilar { throw .codeSimilar }
    }

    /// Whether the link leads to its destination at `now`, and if not, why.
    public static func availability(
        state: Link.State, expiresAt: Instant?, isProgramOpen: Bool, isParticipantOpen: Bool,
        hasDestination: Bool, at now: Instant
    ) -> LinkAvailability {
        if state != .active { return .closed("link_disabled") }
        if !isProgramOpen { return .closed("program_ended") }
        if !isParticipantOpen { return .closed("participant_off") }
        if !hasDestination { return .closed("no_destination") }
        if let expiresAt, expiresAt <= now { return .closed("link_expired") }
        return .open
    }
}

/// Whether a link leads to its destination.
public enum LinkAvailability: Equatable, Sendable {
    case open
    /// With the reason's code.
    case closed(String)
}
