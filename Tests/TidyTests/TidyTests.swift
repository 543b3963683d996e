import Foundation
import Testing

/// Holds the repository to its own style: sizes, columns, import arrows, names of migrations.
struct TidyTests {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file with this ending under a top-level folder, by path from the root.
    static func files(_ folder: String, ending: String) -> [(path: String, text: String)] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        else { return [] }
        return walk.compactMap { $0 as? URL }.filter { $0.lastPathComponent.hasSuffix(ending) }
            .sorted { $0.path < $1.path }
            .compactMap { url in
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
                return (String(url.path.dropFirst(root.path.count + 1)), text)
            }
    }

    @Test("the scan finds the sources")
    func scanFindsSources() {
        #expect(TidyTests.files("Sources", ending: ".swift").count > 100)
        #expect(TidyTests.files("Tests", ending: ".swift").count > 20)
    }

    @Test("no source file is over 400 lines, no test file over 600")
    func sizes() {
        for (path, text) in TidyTests.files("Sources", ending: ".swift") {
            #expect(
                text.split(separator: "\n", omittingEmptySubsequences: false).count <= 401,
                "\(path)")
        }
        for (path, text) in TidyTests.files("Tests", ending: ".swift") {
            #expect(
                text.split(separator: "\n", omittingEmptySubsequences: false).count <= 601,
                "\(path)")
        }
    }

    @Test("no line is over 100 columns")
    func columns() {
        let sources = TidyTests.files("Sources", ending: ".swift")
        for (path, text) in sources + TidyTests.files("Tests", ending: ".swift") {
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated() where line.count > 100
            {
                Issue.record("\(path):\(number + 1) has \(line.count) columns")
            }
        }
    }

    @Test("the service never imports Foundation, which would triple its size")
    func noFoundation() {
        for (path, text) in TidyTests.files("Sources", ending: ".swift")
        where !path.hasPrefix("Sources/EmbedFiles/") {
            #expect(!text.contains("import Foundation"), "\(path)")
        }
    }

    @Test("nothing in the sources can crash on purpose or is left for later")
    func noTraps() {
        let words = ["try!", "as!", "fatalError(", "TODO", "FIXME"]
        for (path, text) in TidyTests.files("Sources", ending: ".swift") {
            for word in words { #expect(!text.contains(word), "\(path) has \(word)") }
        }
    }

    /// What each module may import of our own.
    static let arrows: [String: Set<String>] = [
        "Platform": ["CLinux"], "Crypto": ["CCrypto"], "Model": ["JSON", "Platform"], "JSON": [],
        "HTTP": ["JSON", "Platform", "CLinux"], "Database": ["CSQLite", "Model", "Platform"],
        "Records": ["Model", "Database", "JSON", "Crypto", "Platform"],
        "Programs": domain, "ReferralLinks": domain.union(["Platform"]),
        "LeadRegistration": domain.union(["Platform"]),
        "Attribution": domain, "RewardLedger": domain, "referrald": ["App"],
        "App": domain.union([
            "HTTP", "Platform", "CLinux", "Programs", "ReferralLinks", "LeadRegistration",
            "Attribution", "RewardLedger",
        ]),
    ]
    static let domain: Set<String> = ["Model", "Database", "JSON", "Crypto", "Records"]

    @Test("imports follow the arrows of the architecture", arguments: arrows.keys.sorted())
    func importArrows(module: String) {
        let ours = Set(TidyTests.arrows.keys).union(["CLinux", "CSQLite", "CCrypto"])
        for (path, text) in TidyTests.files("Sources/\(module)", ending: ".swift") {
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.contains("import"), let name = words.last.map(String.init),
                    line.hasPrefix("import ") || line.hasPrefix("public import ")
                else { continue }
                if ours.contains(name) {
                    #expect(TidyTests.arrows[module]?.contains(name) == true, "\(path): \(name)")
                } else {
                    #expect(["Glibc", "Synchronization"].contains(name), "\(path): \(name)")
                }
            }
        }
    }

    @Test("migrations are numbered without gaps, named by a verb, and say why they are")
    func migrations() {
        let files = TidyTests.files("Migrations", ending: ".sql")
        #expect(!files.isEmpty)
        for (index, file) in files.enumerated() {
            let name = String(file.path.dropFirst("Migrations/".count))
            let number = String(format: "%04d_", index + 1)
            #expect(name.hasPrefix(number), "\(name)")
            #expect(name.wholeMatch(of: /[0-9]{4}(_[a-z0-9]+)+\.sql/) != nil, "\(name)")
            #expect(file.text.hasPrefix("-- "), "\(name) begins without a comment")
            #expect(!file.text.contains("INSERT OR"), "\(name)")
            let tables = file.text.components(separatedBy: "CREATE TABLE").dropFirst()
            for table in tables {
                let end = table.components(separatedBy: ";").first ?? ""
                #expect(end.contains("STRICT"), "\(name): a table is not STRICT")
            }
        }
    }

    @Test("the package depends on no other package")
    func noDependencies() throws {
        let text = try String(
            contentsOf: TidyTests.root.appending(path: "Package.swift"), encoding: .utf8)
        #expect(!text.contains(".package("))
    }

    @Test("nothing but the agreed entries lies at the top")
    func topLevel() throws {
        let known: Set<String> = [
            "Package.swift", "Sources", "Tests", "Migrations", "README.md", "Dockerfile", ".ci",
            ".gitignore", ".swift-format", ".git", ".build", "Package.resolved",
        ]
        let names = try FileManager.default.contentsOfDirectory(atPath: TidyTests.root.path)
        for name in names { #expect(known.contains(name), "\(name)") }
    }
}
