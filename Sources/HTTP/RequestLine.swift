/// The first line of a request (RFC 9112 section 3), with its target taken apart.
struct RequestLine {
    let method: Method
    let methodText: Range<Int>
    let path: String
    let query: Range<Int>
    /// The host and port of an absolute-form target.
    let authority: Range<Int>?
    let isHTTP10: Bool

    enum Outcome {
        case success(RequestLine)
        case failure(Malformation)
    }

    /// Parses `range` of `buffer`, the line without its CR LF. All ranges are offsets into
    /// `buffer`.
    static func parse(_ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Outcome {
        var methodEnd = range.lowerBound
        while methodEnd < range.upperBound, buffer[methodEnd].isToken { methodEnd += 1 }
        let targetStart = methodEnd + 1
        guard methodEnd > range.lowerBound, targetStart < range.upperBound,
            buffer[methodEnd] == 0x20,
            let targetEnd = buffer.firstIndex(of: 0x20, from: targetStart),
            targetEnd > targetStart, targetEnd < range.upperBound
        else { return .failure(RequestParser.badRequestLine) }
        let isHTTP10: Bool
        switch version(buffer.part(targetEnd + 1..<range.upperBound)) {
        case .success(let value): isHTTP10 = value
        case .failure(let refusal): return .failure(refusal)
        }
        let method = Method(token: buffer.part(range.lowerBound..<methodEnd))
        // A tunnel is another protocol than ours (RFC 9110 section 9.3.6).
        guard method != .connect else { return .failure(noTunnels) }
        var isClean = true
        for index in targetStart..<targetEnd {
            let byte = buffer[index]
            isClean = isClean && byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
        }
        guard isClean, let target = target(buffer, targetStart..<targetEnd, method) else {
            return .failure(badTarget)
        }
        return .success(
            RequestLine(
                method: method, methodText: range.lowerBound..<methodEnd,
                path: target.path, query: target.query, authority: target.authority,
                isHTTP10: isHTTP10))
    }

    private enum Version {
        case success(Bool)
        case failure(Malformation)
    }

    private static func version(_ text: UnsafeBufferPointer<UInt8>) -> Version {
        if text.equals("HTTP/1.1") { return .success(false) }
        if text.equals("HTTP/1.0") { return .success(true) }
        guard text.count == 8, text.part(0..<5).equals("HTTP/"), text[5].isDigit,
            text[6] == UInt8(ascii: "."), text[7].isDigit
        else { return .failure(RequestParser.badRequestLine) }
        return .failure(badVersion)
    }

    private typealias Target = (path: String, query: Range<Int>, authority: Range<Int>?)

    private static func target(
        _ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ method: Method
    ) -> Target? {
        if buffer[range.lowerBound] == UInt8(ascii: "/") {
            return split(buffer, range, authority: nil)
        }
        if buffer.part(range).equals("*") {
            return method == .options ? ("*", range.upperBound..<range.upperBound, nil) : nil
        }
        // absolute-form, http and https only.
        for scheme: StaticString in ["http://", "https://"] {
            let start = range.lowerBound + scheme.utf8CodeUnitCount
            guard start <= range.upperBound else { continue }
            guard isScheme(buffer.part(range.lowerBound..<start), scheme) else { continue }
            var end = start
            while end < range.upperBound, buffer[end] != UInt8(ascii: "/"),
                buffer[end] != UInt8(ascii: "?")
            { end += 1 }
            guard HostField.isValid(buffer.part(start..<end)) else { return nil }
            return split(buffer, end..<range.upperBound, authority: start..<end)
        }
        return nil
    }

    private static func isScheme(
        _ text: UnsafeBufferPointer<UInt8>, _ scheme: StaticString
    ) -> Bool {
        // ":" and "/" are the same with the letter bit set, so "http" and "://" compare as wanted
        // but for control characters, which a target cannot hold.
        text.equalsIgnoringCase(scheme)
    }

    /// Path and query; an absolute target without a path means "/" (RFC 9110 section 4.2.3), or the
    /// whole server for OPTIONS (RFC 9112 section 3.2.4), which "/" stands for here.
    private static func split(
        _ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, authority: Range<Int>?
    ) -> Target {
        let mark = buffer.part(range).firstIndex(of: UInt8(ascii: "?"), from: 0)
        let pathEnd = mark.map { range.lowerBound + $0 } ?? range.upperBound
        let path = buffer.part(range.lowerBound..<pathEnd)
        let queryStart = mark == nil ? range.upperBound : pathEnd + 1
        return (
            path.isEmpty ? "/" : String(decoding: path, as: UTF8.self),
            queryStart..<range.upperBound, authority
        )
    }

    private static let noTunnels = Malformation(
        501, "method_not_implemented", "This server opens no tunnels.")
    private static let badVersion = Malformation(
        505, "http_version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0.")
    private static let badTarget = Malformation(
        400, "invalid_target",
        "The target must be a path, an http or https URL, or * with OPTIONS, in visible ASCII.")
}
