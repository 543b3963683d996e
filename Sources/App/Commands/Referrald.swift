import Glibc

/// The program: finds the command, reads its arguments, and gives the exit status (0 done, 1
/// failed, 2 wrong usage, 78 wrong configuration).
public enum Referrald {
    /// Runs `arguments` (without the program's name) and returns the exit status.
    public static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        guard let name = arguments.first else {
            Terminal.error(Help.overview)
            return 2
        }
        let rest = Array(arguments.dropFirst())
        if ["help", "--help", "-h"].contains(name) {
            Terminal.print(rest.first.flatMap { Help.text(of: $0) } ?? Help.overview)
            return 0
        }
        guard let command = Command.all.first(where: { $0.name == name }) else {
            Terminal.error(
                "referrald: there is no command \(name); see referrald --help.")
            return 2
        }
        if rest.contains("--help") || rest.contains("-h") {
            Terminal.print(Help.text(of: name) ?? Help.overview)
            return 0
        }
        do {
            let parsed = try Arguments(rest, command)
            let configuration = try Configuration(flags: parsed.flags, environment: environment)
            return try command.run(configuration, parsed)
        } catch let error as UsageError {
            Terminal.error(
                "referrald \(name): \(error.description) See referrald \(name) --help.")
            return 2
        } catch let error as ConfigurationError {
            Terminal.error("referrald: \(error.description)")
            return 78
        } catch {
            Terminal.error("referrald \(name): \(error)")
            return 1
        }
    }
}

/// The command line itself is wrong.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// One command: its name, what it takes and what it does.
struct Command: Sendable {
    let name: String
    /// Words after the command's name, such as `FILE`.
    let operands: [String]
    /// Flags of this command alone, with the word for their value; "": they take none.
    let options: [(flag: String, value: String, help: String)]
    let summary: String
    let help: String
    let run: @Sendable (Configuration, Arguments) throws -> Int32
}

/// Flags and operands of one call.
struct Arguments: Sendable {
    /// Settings, by flag.
    private(set) var flags: [String: String] = [:]
    /// The command's own options, by flag.
    private(set) var options: [String: String] = [:]
    private(set) var operands: [String] = []

    init(_ words: [String], _ command: Command) throws {
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            guard word.hasPrefix("--") else {
                operands.append(word)
                continue
            }
            var flag = word
            var value: String?
            if let equals = word.firstIndex(of: "=") {
                flag = String(word[..<equals])
                value = String(word[word.index(after: equals)...])
            }
            if command.options.contains(where: { $0.flag == flag && $0.value.isEmpty }) {
                guard value == nil else {
                    throw UsageError(description: "\(flag) takes no value.")
                }
                value = ""
            }
            if value == nil {
                guard index < words.count else {
                    throw UsageError(description: "\(flag) needs a value.")
                }
                value = words[index]
                index += 1
            }
            if command.options.contains(where: { $0.flag == flag }) {
                options[flag] = value
            } else if Setting.all.contains(where: { $0.flag == flag }) {
                flags[flag] = value
            } else {
                throw UsageError(description: "\(flag) is not known.")
            }
        }
        // Those in brackets need not be there.
        let least = command.operands.filter { !$0.hasPrefix("[") }.count
        guard (least...command.operands.count).contains(operands.count) else {
            throw UsageError(
                description: command.operands.isEmpty
                    ? "it takes no further words."
                    : "it takes " + command.operands.joined(separator: " ") + ".")
        }
    }
}

/// Standard output and standard error, for people.
enum Terminal {
    static func print(_ text: String) { write(text, STDOUT_FILENO) }
    static func error(_ text: String) { write(text, STDERR_FILENO) }

    /// A line that the next one is written over.
    static func progress(_ text: String) { write("\r" + text, STDERR_FILENO, end: "") }

    private static func write(_ text: String, _ descriptor: Int32, end: String = "\n") {
        let bytes = Array((text + end).utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            sent += count
        }
    }
}
