import Database
import Glibc
import HTTP
import JSON
import LeadRegistration
import Model

/// The door through which every JSON answer to a participant's token goes, whichever handler wrote
/// it. A token names people by its own referrals: it reads no customer's id, which tells when
/// somebody else's lead came in, no lead that it may not read, no key of the operator's, and not
/// why somebody suspects it. What depends on a value, such as the own share of a sale, is the
/// handler's matter.
struct TokenView {
    private let participant: ParticipantID
    private let now: Instant
    private let reader: Reader
    private var readable: [LeadID: Bool] = [:]

    /// `response` as the participant may read it.
    static func masked(
        _ response: Response, for participant: ParticipantID, at now: Instant, _ reader: Reader
    ) throws -> Response {
        let type = response.headers.first { $0.0.lowercased() == "content-type" }?.1
        guard type == "application/json" else { return response }
        var body = response.body
        if contains("\"flags\":[{", body), let value = try? JSONValue.parse(body) {
            body = withoutSuspicion(value).encoded()
        }
        var view = TokenView(participant: participant, now: now, reader: reader)
        var masked = response
        masked.body = try view.masked(body)
        return masked
    }

    private init(participant: ParticipantID, now: Instant, reader: Reader) {
        self.participant = participant
        self.now = now
        self.reader = reader
    }

    // MARK: - Ids

    /// Of an id after its prefix.
    private static let idLength = 26

    /// Every string that is an id is looked at where it stands: a page of the feed is polled often,
    /// and need not be taken apart for it.
    private mutating func masked(_ body: [UInt8]) throws -> [UInt8] {
        var masked: [UInt8] = []
        masked.reserveCapacity(body.count)
        var kept = 0
        for (place, end) in TokenView.ids(in: body) {
            guard let told = try told(at: place, to: end, body) else { continue }
            masked += body[kept..<place]
            masked += Array(told.utf8)
            kept = end + 1
        }
        return masked + body[kept...]
    }

    /// Where strings stand that have the form of such an id: the places of their quotes.
    private static func ids(in body: [UInt8]) -> [(start: Int, end: Int)] {
        body.withUnsafeBufferPointer { bytes in
            var found: [(start: Int, end: Int)] = []
            guard let base = bytes.baseAddress else { return found }
            var place = 0
            while place < bytes.count, let quote = memchr(base + place, 0x22, bytes.count - place) {
                place = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
                if let end = endOfID(bytes, from: place) { found.append((place, end)) }
                place += 1
            }
            return found
        }
    }

    /// What is written instead of the id; nil: it stays.
    private mutating func told(
        at place: Int, to end: Int, _ body: [UInt8]
    ) throws -> String? {
        let id = String(decoding: body[(place + 1)..<end], as: UTF8.self)
        switch body[place + 1] {
        case UInt8(ascii: "c"): return CustomerID(id) == nil ? nil : "null"
        case UInt8(ascii: "k"):
            guard APIKeyID(id) != nil else { return nil }
            // That of its own token, as in the event of its making, is its own.
            let isSubject =
                TokenView.follows("\"id\":", body, place)
                || TokenView.follows("\"subject_id\":", body, place)
            return isSubject ? nil : "\"operator\""
        default:
            guard let lead = LeadID(id) else { return nil }
            // What is shown as a lead, its handler has found readable.
            if TokenView.begins(",\"object\":\"lead\"", body, end + 1) { readable[lead] = true }
            return try mayRead(lead) ? nil : "null"
        }
    }

    private mutating func mayRead(_ id: LeadID) throws -> Bool {
        if let known = readable[id] { return known }
        let mayRead =
            switch try LeadStore.isReferral(id, of: participant, reader) {
            case true?: true
            case false?:
                try LeadStore.find(id, reader)?.isReadable(by: participant, at: now, reader)
                    ?? false
            case nil: false
            }
        readable[id] = mayRead
        return mayRead
    }

    /// The place of the quote that ends the string, if it has the form of such an id.
    private static func endOfID(_ bytes: UnsafeBufferPointer<UInt8>, from place: Int) -> Int? {
        guard place + 1 < bytes.count else { return nil }
        let prefix: StaticString
        switch bytes[place + 1] {
        case UInt8(ascii: "c"): prefix = "cust_"
        case UInt8(ascii: "k"): prefix = "key_"
        case UInt8(ascii: "l"): prefix = "lead_"
        default: return nil
        }
        let end = place + 1 + prefix.utf8CodeUnitCount + idLength
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\""), let base = bytes.baseAddress,
            memcmp(base + place + 1, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
        else { return nil }
        return end
    }

    private static func begins(_ word: String, _ body: [UInt8], _ place: Int) -> Bool {
        place >= 0 && body[min(place, body.count)...].starts(with: word.utf8)
    }

    private static func follows(_ word: String, _ body: [UInt8], _ place: Int) -> Bool {
        begins(word, body, place - word.utf8.count)
    }

    private static func contains(_ word: String, _ body: [UInt8]) -> Bool {
        let needle = Array(word.utf8)
        return body.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let first = needle.first else { return false }
            var place = 0
            while place + needle.count <= bytes.count,
                let found = memchr(start + place, Int32(first), bytes.count - place)
            {
                place = found - UnsafeMutableRawPointer(mutating: start)
                if place + needle.count <= bytes.count,
                    memcmp(found, needle, needle.count) == 0
                {
                    return true
                }
                place += 1
            }
            return false
        }
    }

    // MARK: - Flags

    /// Why a person looks at something is told where it is no suspicion, and any other word is not.
    private static func withoutSuspicion(_ value: JSONValue) -> JSONValue {
        if let list = value.arrayValue { return .array(list.map(withoutSuspicion)) }
        guard let object = value.objectValue else { return value }
        var shown = JSONObject()
        for (name, member) in object {
            if name == "flags", let flags = member.arrayValue {
                shown[name] = .array(flags.compactMap(openFlag))
            } else {
                shown[name] = withoutSuspicion(member)
            }
        }
        return .object(shown)
    }

    private static func openFlag(_ flag: JSONValue) -> JSONValue? {
        guard var object = flag.objectValue, let code = object["code"]?.stringValue,
            openFlags.contains(code)
        else { return nil }
        object["evidence"] = [:]
        return .object(object)
    }

    private static let openFlags: Set<String> = ["participant_not_approved", "program_paused"]
}

extension Lead {
    /// A participant reads what it referred, and what it works because it holds the account.
    func isReadable(
        by participant: ParticipantID, at now: Instant, _ reader: Reader
    ) throws -> Bool {
        if participant == referrer.participant { return true }
        guard let registration,
            owner == LeadOwner(kind: .partner, name: participant.description)
        else { return false }
        return try AccountClaimStore.isHeld(by: registration, at: now, reader)
    }
}
