import Crypto
import Testing

@Suite("Hex and Base64")
struct TextEncodingsTests {
    @Test("hexadecimal is written in lower case and read in either")
    func hex() {
        #expect(Hex.encode([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.decode("000fA5fF") == [0x00, 0x0F, 0xA5, 0xFF])
        #expect(Hex.encode([]) == "")
        #expect(Hex.decode("") == [])
    }

    @Test("what is not hexadecimal is refused", arguments: ["0", "0g", "000", "0x00", " 00", "é"])
    func badHex(text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test(
        "Base64 gives the vectors of RFC 4648 section 10 both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
        let unpadded = String(encoded.prefix { $0 != "=" })
        #expect(Base64URL.encode(Array(text.utf8)) == unpadded)
    }

    @Test("Base64 for URLs uses hyphen and underscore")
    func urlAlphabet() {
        #expect(Base64URL.encode([0xFB, 0xEF, 0xFF]) == "--__")
        #expect(Base64.encode([0xFB, 0xEF, 0xFF]) == "++//")
        #expect(Base64URL.encode([0xFF]) == "_w")
    }

    @Test(
        "Base64 that is not canonical is refused",
        arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9 ", "--__", "Zé="])
    func badBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("every length and byte survives both ways")
    func roundTrips() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }
}
