/// How much of a JSON text the parser accepts. The length in bytes is the caller's to bound.
public struct JSONLimits: Sendable {
    /// Arrays and objects inside each other. The parser recurses once per level, so this also
    /// bounds its stack. Several times what any form of the API needs.
    public var depthMax: Int
    /// Bytes of one number literal. 2^53 has 16 digits; 256 leaves room for any exact decimal and
    /// keeps a hostile literal from being carried around.
    public var numberDigitsMax: Int
    /// Members of one object. Look-up by name is a scan, so this bounds its cost.
    public var membersMax: Int
    /// UTF-8 bytes of one member name, because names appear in the pointer of an error.
    public var nameBytesMax: Int
    /// Values in the whole text: one byte such as `1` costs 16 to 24 bytes as a value.
    public var valuesMax: Int

    public init(
        depthMax: Int = 32, numberDigitsMax: Int = 256, membersMax: Int = 1024,
        nameBytesMax: Int = 256, valuesMax: Int = 200_000
    ) {
        self.depthMax = depthMax
        self.numberDigitsMax = numberDigitsMax
        self.membersMax = membersMax
        self.nameBytesMax = nameBytesMax
        self.valuesMax = valuesMax
    }

    public static let standard = JSONLimits()
}
