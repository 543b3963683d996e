import Glibc

/// An open file descriptor with one owner: it closes when the owner goes away.
public struct FileDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes ownership of `number`.
    public init(owning number: Int32) {
        self.number = number
    }

    deinit {
        if number >= 0 { close(number) }
    }
}

/// A system call failed: its name and `errno`. Carries no paths, no values, no personal data.
public struct SystemError: Error, CustomStringConvertible, Equatable {
    public let operation: String
    public let code: Int32

    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}
