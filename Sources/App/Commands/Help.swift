/// What `--help` teaches.
enum Help {
    static var overview: String {
        let width = Command.all.map { usage($0).count }.max() ?? 0
        let lines = Command.all.map { command in
            let name = usage(command)
            return "  " + name + String(repeating: " ", count: width - name.count) + "  "
                + command.summary
        }
        return """
            referrald: referral links, leads, attribution and rewards in one service and one file.

            Usage: referrald COMMAND [--flag value]...

            \(lines.joined(separator: "\n"))

            Try it:       referrald demo
            Run it:       referrald keys create --init --name first --scope admin && referrald serve
            Learn more:   referrald COMMAND --help

            Settings, as flags of every command or as environment variables:
            \(settings)
            """
    }

    static func text(of name: String) -> String? {
        guard let command = Command.all.first(where: { $0.name == name }) else { return nil }
        var text = "Usage: referrald \(usage(command)) [--flag value]...\n\n\(command.help)"
        if !command.options.isEmpty {
            text += "\n\nOptions:\n"
            text += command.options.map { "  \($0.flag) \($0.value)\n      \($0.help)" }
                .joined(separator: "\n")
        }
        return text + "\n\nSettings:\n" + settings
    }

    private static func usage(_ command: Command) -> String {
        ([command.name] + command.operands).joined(separator: " ")
    }

    private static var settings: String {
        Setting.all.map { setting in
            let fallback = setting.fallback.isEmpty ? "" : " Default: \(setting.fallback)."
            return "  \(setting.flag), \(setting.variable)\n      \(setting.help)\(fallback)"
        }.joined(separator: "\n")
    }
}
