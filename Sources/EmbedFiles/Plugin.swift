import Foundation
import PackagePlugin

/// Compiles files into a target: what lies in the target's `Data` folder becomes
/// `EmbeddedFiles.all`, and for `App` the top-level `Migrations` folder too. Dropping a file into
/// the folder is all it takes.
@main
struct EmbedFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let module = target as? any SourceModuleTarget else { return [] }
        let data = module.sourceFiles.map(\.url).filter { $0.path.contains("/Data/") }
        var folders = [("EmbeddedFiles", data)]
        if target.name == "App" {
            let folder = context.package.directoryURL.appending(path: "Migrations")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let files = names.filter { $0.hasSuffix(".sql") }.sorted().map {
                folder.appending(path: $0)
            }
            folders.append(("EmbeddedMigrations", files))
        }
        return try folders.map { name, files in
            let output = context.pluginWorkDirectoryURL.appending(path: "\(name).swift")
            return .buildCommand(
                displayName: "Embedding \(files.count) files as \(name)",
                executable: try context.tool(named: "EmbedTool").url,
                arguments: [name, output.path] + files.map(\.path),
                inputFiles: files, outputFiles: [output])
        }
    }
}
