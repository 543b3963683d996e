/// Environment variables that look like settings and are none: each is told with the setting that
/// it is nearest to, as it is most often a slip.
enum UnknownVariables {
    /// Letters that a slip may be away.
    private static let distanceMax = 4

    static func warnings(_ environment: [String: String]) -> [String] {
        let known = Setting.all.map(\.variable) + ["REFERRALD_ADMIN_KEY"]
        return environment.keys.filter { $0.hasPrefix("REFERRALD_") && !known.contains($0) }
            .sorted()
            .map { name in
                let hint = nearest(name, known).map { "; did you mean \($0)?" } ?? ""
                return "\(name) is not a setting of this version" + hint
            }
    }

    static func nearest(_ name: String, _ known: [String]) -> String? {
        let ranked = known.map { (name: $0, distance: distance(Array(name.utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }),
            best.distance <= distanceMax
        else { return nil }
        return best.name
    }

    /// Levenshtein's: how many letters to add, take away or change.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (place, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
