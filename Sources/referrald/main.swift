import App
import Glibc

var environment: [String: String] = [:]
var entry = environ
while let text = entry.pointee {
    let pair = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if pair.count == 2 { environment[String(pair[0])] = String(pair[1]) }
    entry += 1
}
exit(Referrald.run(Array(CommandLine.arguments.dropFirst()), environment: environment))
