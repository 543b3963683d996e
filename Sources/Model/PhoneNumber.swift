/// A telephone number in one spelling (E.164): a plus sign and 7 to 15 digits, the first of which
/// are the country's calling code.
///
/// Known are the calling codes, the prefixes dialled before a number within a country, and how many
/// digits fixed and mobile numbers have there; which numbers are in use is not. A number that fits
/// none of it is none, so that a doubtful one never stands for somebody else's.
public struct PhoneNumber: Hashable, Sendable {
    public let e164: String

    /// Reads what people type: separators, `(0)`, an extension, a missing plus sign. A number
    /// without `+` or `00` is a national one and needs its country; nil when it cannot be told.
    public init?(_ text: String, country: CountryCode?) {
        guard let typed = PhoneNumber.typed(text) else { return nil }
        let code = country.flatMap { NumberingPlan.codes[$0.code] }
        // Within North America, 011 is what 00 is elsewhere.
        let exits = code == "1" ? ["00", "011"] : ["00"]
        let exit = exits.first { typed.digits.hasPrefix($0) }
        if typed.hasPlus || exit != nil {
            let digits = typed.digits.dropFirst(typed.hasPlus ? 0 : exit?.count ?? 0)
            guard let number = PhoneNumber.international(digits) else { return nil }
            e164 = number
            return
        }
        guard let code, let plan = NumberingPlan.byCode[code] else { return nil }
        if let national = plan.significant(typed.digits[...]) {
            e164 = "+\(code)\(national)"
        } else if typed.digits.hasPrefix(code),
            let number = PhoneNumber.international(typed.digits[...])
        {
            // Only the plus sign was left out.
            e164 = number
        } else {
            return nil
        }
    }

    /// The digits before an extension; nil when anything but separators stands among them.
    private static func typed(_ text: String) -> (digits: String, hasPlus: Bool)? {
        var lower = text.lowercased()[...]
        if lower.hasPrefix("tel:") { lower = lower.dropFirst(4) }
        let end = lower.firstIndex { ";,#xe".contains($0) } ?? lower.endIndex
        var digits = ""
        var hasPlus = false
        for scalar in lower[..<end].unicodeScalars {
            if scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue
            {
                guard digits.utf8.count < 24 else { return nil }
                digits += String(Int(value))
            } else if scalar == "+" || scalar == "\u{FF0B}" {
                guard digits.isEmpty, !hasPlus else { return nil }
                hasPlus = true
            } else if !isSeparator(scalar) {
                return nil
            }
        }
        return (digits, hasPlus)
    }

    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Among the format characters are the marks of direction that address books copy along.
        case .spaceSeparator, .dashPunctuation, .format: true
        default: "()./\t\u{2212}".unicodeScalars.contains(scalar)
        }
    }

    /// A number that begins with its calling code, of which none is the beginning of another.
    private static func international(_ digits: Substring) -> String? {
        for length in 1...3 {
            let code = String(digits.prefix(length))
            guard let plan = NumberingPlan.byCode[code] else { continue }
            return plan.significant(digits.dropFirst(length)).map { "+\(code)\($0)" }
        }
        return nil
    }
}

/// How the numbers behind one calling code are written.
private struct NumberingPlan {
    /// How many digits fixed and mobile numbers have.
    let lengths: ClosedRange<Int>
    /// What is dialled before a number within the country. A 0 that never begins a number is always
    /// taken off, any other prefix only from a number that is too long.
    let prefixes: [String]
    let isZeroForeign: Bool

    /// `digits` without what is dialled before them; nil unless that many digits make a number.
    func significant(_ digits: Substring) -> Substring? {
        var digits = digits
        if isZeroForeign, digits.hasPrefix("0") { digits.removeFirst() }
        if !lengths.contains(digits.utf8.count) {
            let fitting = prefixes.first {
                digits.hasPrefix($0) && lengths.contains(digits.utf8.count - $0.utf8.count)
            }
            guard let fitting else { return nil }
            digits = digits.dropFirst(fitting.utf8.count)
        }
        // North American area codes begin with 2 to 9.
        guard lengths.contains(digits.utf8.count), prefixes != ["1"] || digits.first != "1",
            !isZeroForeign || digits.first != "0"
        else { return nil }
        return digits
    }

    /// By calling code.
    static let byCode: [String: NumberingPlan] = {
        var plans: [String: NumberingPlan] = [:]
        for (entry, isZeroForeign) in entries {
            plans[entry.code] = NumberingPlan(
                lengths: entry.lengths, prefixes: entry.prefixes, isZeroForeign: isZeroForeign)
        }
        return plans
    }()

    /// Calling codes by country.
    static let codes: [String: String] = {
        var codes: [String: String] = [:]
        for (entry, _) in entries {
            for country in entry.countries { codes[country] = entry.code }
        }
        return codes
    }()

    private static var entries: [(Entry, isZeroForeign: Bool)] {
        dialledWithZero.split(whereSeparator: \.isWhitespace)
            .compactMap { Entry($0) }.map { ($0, true) }
            + others.split(whereSeparator: \.isWhitespace)
            .compactMap { Entry($0) }.map { ($0, false) }
    }

    /// `CC,CC` and the calling code, `:` and the lengths, perhaps `/` and prefixes with `|` between
    /// them.
    private struct Entry {
        let countries: [String]
        let code: String
        let lengths: ClosedRange<Int>
        let prefixes: [String]

        init?(_ text: Substring) {
            let parts = text.split(separator: "/")
            let halves = parts[0].split(separator: ":")
            let bounds = halves[1].split(separator: "-").compactMap { Int($0) }
            guard let least = bounds.first, let most = bounds.last, least <= most else {
                return nil
            }
            countries = halves[0].split { !$0.isLetter }.map(String.init)
            code = String(halves[0].drop { !$0.isNumber })
            lengths = least...most
            prefixes = parts.dropFirst().flatMap { $0.split(separator: "|").map(String.init) }
        }
    }

    /// Where a 0 is dialled before numbers and begins none.
    private static let dialledWithZero = """
        AE971:8-9 AF93:9 AL355:8-9 AM374:8 AR54:10-11 AT43:5-13 AU,CC,CX61:9 AX,FI358:5-10
        AZ994:9 BA387:8-9 BD880:6-10 BE32:8-9 BG359:6-9 BL,GP,MF590:9 BO591:8 BR55:10-11
        CD243:7-10 CH41:9 CN86:7-11 CO57:8-10 CU53:6-10 DE49:5-13 DZ213:8-9 EC593:8-9 EG20:8-10
        EH,MA212:9 ER291:7 ET251:9 FR33:9 GB,GG,IM,JE44:9-10 GE995:9 GF594:9 GH233:9 HR385:8-9
        ID62:7-12 IE353:7-10 IL972:8-12 IN91:10 IQ964:8-10 IR98:6-10 JO962:8-9 JP81:9-10
        KE254:7-9 KG996:9 KH855:8-9 KI686:5-8 KP850:8-10 KR82:5-10 LA856:8-10 LB961:7-8
        LI423:7-9 LK94:9 LR231:7-9 LT370:8/8 LY218:9 MC377:8-9 MD373:8 ME382:8 MG261:9 MK389:8
        MM95:6-10 MN976:8-10 MQ596:9 MW265:7-9 MY60:8-10 NA264:8-9 NG234:10 NL31:9-11 NP977:8-10
        NZ64:8-10 PE51:8-9 PH63:6-10 PK92:9-10 PM508:6-9 PS970:8-9 PY595:7-9 RE,YT262:9 RO40:6-9
        RS381:7-12 RW250:8-9 SA966:9 SD249:9 SE46:7-9 SI386:8 SK421:6-9 SL232:8 SO252:6-9
        SS211:9 SY963:8-9 TH66:8-9 TR90:10 TW886:8-9 TZ255:9 UA380:9 UG256:9 UY598:8 VE58:10
        VN84:9-10 383:8-12 YE967:7-9 ZA27:5-9 ZM260:9 ZW263:9
        """

    /// Where nothing is, or another prefix, or where a 0 belongs to the number.
    private static let others = """
        AD376:6-9 AO244:9 AW297:7 BF226:8 BH973:8 BI257:8 BJ229:10 BN673:7 BQ,CW599:7-8
        BT975:7-8 BW267:7-8 BZ501:7 CF236:8 CG242:9 CI225:10 CK682:5 CL56:9 CM237:9 CR506:8
        CV238:7 CY357:8 CZ420:9 DJ253:8 DK45:8 EE372:7-8 ES34:9 FJ679:7 FK500:5 FM691:7 FO298:6
        GA241:7-8/0 GI350:8 GL299:6 GM220:7-9 GN224:8-9 GQ240:9 GR30:10 GT502:8 GW245:9 GY592:7
        HK852:8 HN504:8 HT509:8 IO246:7 IS354:7-9 IT,VA39:6-12 KM269:7 KW965:8 LS266:8
        LU352:4-11 LV371:8 ML223:8 MO853:8 MR222:8 MT356:8 MU230:7-8 MV960:7
        MX52:10/01|044|045|1 MZ258:8-9 NC687:6 NE227:8 NF672:6 NI505:8 NO,SJ47:8 NR674:7
        NU683:4-7 OM968:8 PA507:7-8 PF689:8 PG675:7-8 PL48:7-9 PT351:9 PW680:7 QA974:8 SB677:5-7
        SC248:7 SG65:8 SH290:4-5 SM378:8-10 SN221:9 SR597:6-7 ST239:7 SV503:8 SZ268:8 TD235:8
        TG228:8 TJ992:9 TK690:4-7 TL670:7-8 TN216:8 TO676:5-7 TV688:5-7 UZ998:9/8 VU678:5-7
        WF681:6 WS685:5-10
        AG,AI,AS,BB,BM,BS,CA,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,US,VC,VG,VI1:10/1
        BY375:9/80|8 HU36:8-9/06 KZ,RU7:10/8 MH692:7/1 TM993:8/8
        """
}
