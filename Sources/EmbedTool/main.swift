// EmbedTool NAME OUTPUT FILE...: writes a Swift file with `enum NAME`, whose `all` lists each
// file's name and text.
import Glibc

func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { fail("cannot read \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { break }
        bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}

func fail(_ message: String) -> Never {
    print("EmbedTool: \(message)")
    exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { fail("usage: EmbedTool NAME OUTPUT FILE...") }
var source = "enum \(arguments[1]) {\n    static let all: [(name: String, text: String)] = [\n"
for path in arguments.dropFirst(3) {
    let name = path.split(separator: "/").last ?? ""
    source += "        (\"\(name)\", ###\"\"\"\n\(read(path))\n\"\"\"###),\n"
}
source += "    ]\n}\n"
guard let output = fopen(arguments[2], "w") else { fail("cannot write \(arguments[2])") }
fputs(source, output)
fclose(output)
