/// Decodes a chunked body as its bytes come (RFC 9112 section 7.1). Pure. Extensions and trailers
/// are checked for form, bounded, and dropped.
struct ChunkedBody {
    enum Progress: Equatable {
        /// Everything was taken; more is needed.
        case incomplete
        /// The body ended after this many of the bytes.
        case complete(consumed: Int)
        case malformed(Malformation)
    }

    private enum State {
        case sizeStart, size, spaceAfterSize, `extension`, sizeEnd
        case data, dataReturn, dataEnd
        case trailerStart, trailerName, trailerValue, trailerEnd, lastEnd
    }

    private var state = State.sizeStart
    /// Of the current chunk: its size while that is read, then what is left of it.
    private var remaining: UInt64 = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private let bytesMax: Int

    /// A body of more than `bytesMax` bytes is refused as soon as a chunk's size says so.
    init(bytesMax: Int) {
        self.bytesMax = max(bytesMax, 0)
    }

    /// Takes the next bytes and appends what they decode to.
    mutating func advance(
        over input: UnsafeBufferPointer<UInt8>, into body: inout [UInt8], limits: borrowing Limits
    ) -> Progress {
        var index = 0
        while index < input.count {
            if state == .data {
                let count = Int(min(remaining, UInt64(input.count - index)))
                body.append(contentsOf: input.part(index..<index + count))
                remaining -= UInt64(count)
                index += count
                if remaining == 0 { state = .dataReturn }
                continue
            }
            let byte = input[index]
            index += 1
            if state == .lastEnd {
                return byte == 0x0A ? .complete(consumed: index) : .malformed(Self.badChunk)
            }
            if let refusal = step(byte, received: body.count, limits) {
                return .malformed(refusal)
            }
        }
        return .incomplete
    }

    private mutating func step(
        _ byte: UInt8, received: Int, _ limits: borrowing Limits
    ) -> Malformation? {
        switch state {
        case .sizeStart, .size, .spaceAfterSize, .extension, .sizeEnd:
            return sizeLine(byte, received: received, limits)
        case .dataReturn:
            return move(byte == 0x0D, to: .dataEnd)
        case .dataEnd:
            return move(byte == 0x0A, to: .sizeStart)
        case .trailerStart, .trailerName, .trailerValue, .trailerEnd:
            return trailer(byte, limits)
        case .data, .lastEnd:
            return nil
        }
    }

    private mutating func sizeLine(
        _ byte: UInt8, received: Int, _ limits: borrowing Limits
    ) -> Malformation? {
        switch state {
        case .sizeStart:
            guard let value = byte.hexadecimalValue else { return Self.badChunk }
            remaining = UInt64(value)
            digits = 1
            state = .size
        case .size:
            if let value = byte.hexadecimalValue {
                // 16 digits fill 64 bits; more would wrap around.
                guard digits < 16 else { return Self.badChunk }
                remaining = remaining << 4 | UInt64(value)
                digits += 1
                return nil
            }
            return afterSize(byte)
        case .spaceAfterSize:
            // Space is allowed here only before an extension (BWS, RFC 9112 section 7.1.1).
            extensionBytes += 1
            guard extensionBytes <= limits.chunkExtensionBytesMax else { return Self.longExtension }
            return byte.isSpaceOrTab ? nil : move(byte == UInt8(ascii: ";"), to: .extension)
        case .extension:
            extensionBytes += 1
            guard extensionBytes <= limits.chunkExtensionBytesMax else { return Self.longExtension }
            if byte == 0x0D {
                state = .sizeEnd
                return nil
            }
            return byte.isFieldContent ? nil : Self.badChunk
        default:
            guard byte == 0x0A else { return Self.badChunk }
            guard remaining <= UInt64(max(bytesMax - received, 0)) else { return Self.tooLarge }
            state = remaining == 0 ? .trailerStart : .data
        }
        return nil
    }

    private mutating func afterSize(_ byte: UInt8) -> Malformation? {
        if byte == 0x0D {
            state = .sizeEnd
        } else if byte == UInt8(ascii: ";") {
            state = .extension
        } else if byte.isSpaceOrTab {
            state = .spaceAfterSize
        } else {
            return Self.badChunk
        }
        return nil
    }

    private mutating func trailer(_ byte: UInt8, _ limits: borrowing Limits) -> Malformation? {
        trailerBytes += 1
        guard trailerBytes <= limits.trailerBytesMax else { return Self.longTrailers }
        switch state {
        case .trailerStart:
            if byte == 0x0D {
                state = .lastEnd
                return nil
            }
            return move(byte.isToken, to: .trailerName)
        case .trailerName:
            return byte.isToken ? nil : move(byte == UInt8(ascii: ":"), to: .trailerValue)
        case .trailerValue:
            if byte == 0x0D {
                state = .trailerEnd
                return nil
            }
            return byte.isFieldContent ? nil : Self.badChunk
        default:
            return move(byte == 0x0A, to: .trailerStart)
        }
    }

    private mutating func move(_ isAllowed: Bool, to next: State) -> Malformation? {
        guard isAllowed else { return Self.badChunk }
        state = next
        return nil
    }

    private static let badChunk = Malformation(
        400, "malformed_chunk", "The chunked body is not well-formed.")
    private static let longExtension = Malformation(
        400, "chunk_extensions_too_large", "The chunk extensions are longer than accepted.")
    private static let longTrailers = Malformation(
        431, "trailers_too_large", "The trailer section is longer than accepted.")
    static let tooLarge = Malformation(
        413, "body_too_large", "The request body is larger than accepted here.")
}
