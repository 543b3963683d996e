/// Which known name a sender may have meant by an unknown one.
enum NearestName {
    /// What a fault says of a name that is not known.
    static func words(_ name: String, among known: [String]) -> String {
        guard !known.isEmpty else { return "is not known here; no member is" }
        let meant = nearest(to: name, among: known).map { " (did you mean \($0)?)" } ?? ""
        return "is not known here\(meant); known: " + known.joined(separator: ", ")
    }

    /// The known name that means the same, or else is spelled nearly the same.
    static func nearest(to name: String, among known: [String]) -> String? {
        let plain = plain(name)
        if let same = known.first(where: { NearestName.plain($0) == plain }) { return same }
        if let other = meanings[plain]?.first(where: known.contains) { return other }
        let near = known.map { ($0, distance(plain, NearestName.plain($0))) }
            .min { $0.1 < $1.1 }
        guard let near, near.1 <= max(1, plain.count / 4) else { return nil }
        return near.0
    }

    /// Words of other systems, for what is called otherwise here.
    private static let meanings: [String: [String]] = [
        "percent": ["basis_points"], "percentage": ["basis_points"], "rate": ["basis_points"],
        "commission": ["basis_points"], "commissionrate": ["basis_points"],
        "price": ["amount"], "total": ["amount"], "sum": ["amount"], "value": ["amount"],
        "orderid": ["external_id"], "order": ["external_id"], "transactionid": ["external_id"],
        "saleid": ["external_id"], "id": ["external_id"], "refundid": ["external_id"],
        "userid": ["external_id"], "customerid": ["external_id", "customer"],
        "customeremail": ["customer", "email"], "mail": ["email"], "emailaddress": ["email"],
        "buyer": ["customer"], "user": ["customer"], "fullname": ["name"], "firstname": ["name"],
        "coupon": ["code"], "couponcode": ["code"], "promocode": ["code"], "slug": ["code"],
        "referralcode": ["ref", "code"], "clickid": ["click_id"], "via": ["ref"],
        "affiliateid": ["participant_id"], "partnerid": ["participant_id"],
        "referrerid": ["participant_id"], "affiliate": ["participant_id"],
        "date": ["occurred_at"], "time": ["occurred_at"], "timestamp": ["occurred_at"],
        "createdat": ["occurred_at", "referred_at"], "url": ["destination_url"],
        "target": ["destination_url"], "destination": ["destination_url"],
        "event": ["trigger", "kind"], "type": ["kind"], "state": ["status"],
        "max": ["max_amount"], "cap": ["max_amount"], "timezone": ["time_zone"],
        "comment": ["note", "reason"], "description": ["note", "reason"],
        "pagesize": ["limit"], "perpage": ["limit"], "count": ["limit"],
        "cursor": ["starting_after"], "after": ["starting_after"], "page": ["starting_after"],
        "before": ["ending_before"], "since": ["created_at[gte]", "from"],
        "until": ["created_at[lt]", "to"],
    ]

    /// Letters and digits in lower case: `occurredAt` is `occurred_at`.
    private static func plain(_ name: String) -> String {
        String(
            name.lowercased().unicodeScalars.filter {
                $0.properties.isAlphabetic || ("0"..."9").contains($0)
            }
            .prefix(40).map(Character.init))
    }

    /// How many letters must be put in, taken out or replaced (Levenshtein).
    private static func distance(_ one: String, _ other: String) -> Int {
        let one = Array(one.utf8)
        let other = Array(other.utf8)
        var row = Array(0...other.count)
        for (place, letter) in one.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, opposite) in other.enumerated() {
                let replaced = diagonal + (letter == opposite ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[other.count]
    }
}
