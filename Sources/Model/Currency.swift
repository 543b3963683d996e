/// A currency of ISO 4217 that has a minor unit, with the exponent that the standard gives it.
///
/// Providers deviate from the standard (MGA, ISK, UGX); this table does not, and is what the API
/// publishes. Codes without a minor unit (gold, SDR, testing) are no currencies here.
public struct Currency: Hashable, Sendable, CustomStringConvertible {
    private let place: UInt8

    private init(place: UInt8) { self.place = place }

    /// The currency with this code, in upper or lower case (`USD`, `usd`); nil for any other text.
    public init?(_ code: some StringProtocol) {
        guard let key = CurrencyTable.key(code.utf8) else { return nil }
        let place = CurrencyTable.places[key]
        guard place != CurrencyTable.unknown else { return nil }
        self.place = place
    }

    /// The currency of a stored row: one of the above, or points.
    public init?(stored code: String) {
        if code == Currency.points.code { self = .points } else { self.init(code) }
    }

    /// What loyalty points are counted in (R148): a unit of the journal like any currency, `PTS`
    /// without decimals, and no currency of any amount that a request may name.
    public static let points = Currency(place: UInt8(CurrencyTable.entries.count - 1))

    /// The code in upper case.
    public var code: String { CurrencyTable.entries[Int(place)].code }

    /// How many decimals the minor unit has: 2 for USD, 0 for JPY, 3 for KWD, 4 for CLF.
    public var exponent: Int { CurrencyTable.entries[Int(place)].exponent }

    public var description: String { code }

    /// Every currency of the standard, by code.
    public static let all: [Currency] = CurrencyTable.entries.indices.dropLast().map {
        Currency(place: UInt8($0))
    }
}

/// ISO 4217 list one, as of 2026: BGN left it when Bulgaria took the euro, XCG has replaced ANG.
private enum CurrencyTable {
    static let unknown: UInt8 = 255

    /// By code; the last are points.
    static let entries: [(code: String, exponent: Int)] = {
        let codes = """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN \
            BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD \
            EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR \
            IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
            MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD \
            OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE \
            SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI \
            UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
            """
        let standard = codes.split(separator: " ").map {
            (code: String($0), exponent: exponent(of: String($0)))
        }
        return standard + [(code: "PTS", exponent: 0)]
    }()

    /// For each code's key its place in `entries`.
    static let places: [UInt8] = {
        var places = [UInt8](repeating: unknown, count: 26 * 26 * 26)
        for (place, entry) in entries.enumerated().dropLast() {
            if let key = key(entry.code.utf8) { places[key] = UInt8(place) }
        }
        return places
    }()

    /// Three letters as a number in base 26.
    static func key(_ code: some Sequence<UInt8>) -> Int? {
        var key = 0
        var count = 0
        for byte in code {
            let letter = (byte | 0x20) &- UInt8(ascii: "a")
            // Bit 0x20 turns @ and ` into each other too, but both lie outside a to z.
            guard letter < 26, count < 3 else { return nil }
            key = key * 26 + Int(letter)
            count += 1
        }
        return count == 3 ? key : nil
    }

    private static func exponent(of code: String) -> Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
            "VND", "VUV", "XAF", "XOF", "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        case "CLF", "UYW": 4
        default: 2
        }
    }
}
