import Model

/// Why a link is refused. The order is the order of the checks.
public enum LinkRefusal: Error, Equatable, Sendable {
    /// Neither the link nor its program says where to lead.
    case noDestination
    /// A participant may only lead to the program's own sites, or the operator's name would vouch
    /// for any.
    case destinationNotAllowed
    /// Somebody has the code, in whatever case, archived links included: a printed code keeps its
    /// meaning.
    case codeTaken
    /// Archived is final.
    case archived
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

    public static func checkCode(isTaken: Bool) throws(LinkRefusal) {
        if isTaken { throw .codeTaken }
    }

    public static func checkChangeable(_ state: Link.State) throws(LinkRefusal) {
        if state == .archived { throw .archived }
    }

    /// Whether the link leads to its destination at `now`, and if not, why.
    public static func availability(
        state: Link.State, expiresAt: Instant?, isProgramOpen: Bool, isParticipantOpen: Bool,
        hasDestination: Bool, at now: Instant
    ) -> LinkAvailability {
        if state != .active { return .closed(state.rawValue) }
        if !isProgramOpen { return .closed("program_closed") }
        if !isParticipantOpen { return .closed("participant_closed") }
        if !hasDestination { return .closed("no_destination") }
        if let expiresAt, expiresAt <= now { return .closed("expired") }
        return .open
    }
}

/// Whether a link leads to its destination.
public enum LinkAvailability: Equatable, Sendable {
    case open
    /// With the reason's code.
    case closed(String)
}
