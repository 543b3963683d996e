// swift-tools-version: 6.0
import PackageDescription

// The drawing of the system, read from top to bottom: foundations, domain modules, App, the
// program. Arrows point one way, and a domain module never imports another.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func module(
    _ name: String, uses dependencies: [Target.Dependency], plugins: [Target.PluginUsage] = []
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict, plugins: plugins)
}

func tests(of name: String, uses others: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + others, swiftSettings: strict)
}

let package = Package(
    name: "referrald",
    products: [.executable(name: "referrald", targets: ["referrald"])],
    targets: [
        // Thin shims over the system's libraries.
        .target(name: "CLinux"),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]),

        // Foundations: they know nothing of referrals.
        module("Platform", uses: ["CLinux"]),
        module("Crypto", uses: ["CCrypto"]),
        module("JSON", uses: []),
        module("Model", uses: ["JSON", "Platform"]),
        module("HTTP", uses: ["JSON", "Platform", "CLinux"]),
        module("Database", uses: ["CSQLite", "Model", "Platform"]),
        module("Records", uses: ["Model", "Database", "JSON", "Crypto", "Platform"]),

        // Domain modules, in the order of a referral's life.
        module("Programs", uses: ["Model", "Database", "JSON", "Crypto", "Records"]),
        module(
            "ReferralLinks", uses: ["Model", "Database", "JSON", "Crypto", "Platform", "Records"],
            plugins: ["EmbedFiles"]),
        module(
            "LeadRegistration",
            uses: ["Model", "Database", "JSON", "Crypto", "Platform", "Records"],
            plugins: ["EmbedFiles"]),
        module("Attribution", uses: ["Model", "Database", "JSON", "Records"]),
        module("RewardLedger", uses: ["Model", "Database", "JSON", "Crypto", "Records"]),

        // What spans modules: routes, flows, jobs, commands.
        module(
            "App",
            uses: [
                "HTTP", "JSON", "Database", "Model", "Platform", "Crypto", "CLinux", "Records",
                "Programs",
                "ReferralLinks", "LeadRegistration", "Attribution", "RewardLedger",
            ], plugins: ["EmbedFiles"]),
        .executableTarget(name: "referrald", dependencies: ["App"], swiftSettings: strict),

        // Files compiled into the binary: migrations, patterns, the script for marketing sites.
        .executableTarget(name: "EmbedTool", path: "Sources/EmbedTool", swiftSettings: strict),
        .plugin(
            name: "EmbedFiles", capability: .buildTool(), dependencies: ["EmbedTool"],
            path: "Sources/EmbedFiles"),

        tests(of: "Platform"),
        tests(of: "Crypto"),
        tests(of: "Model", uses: ["Platform"]),
        tests(of: "JSON"),
        tests(of: "Records", uses: ["Model"]),
        tests(of: "HTTP", uses: ["JSON", "Platform", "CLinux"]),
        tests(of: "Database", uses: ["Model", "Platform"]),
        tests(
            of: "RewardLedger",
            uses: ["Model", "Database", "JSON", "Records", "Platform", "Crypto"]),
        tests(of: "Programs", uses: ["Model", "JSON"]),
        tests(of: "LeadRegistration", uses: ["Model", "Database", "JSON", "Crypto"]),
        tests(of: "Attribution", uses: ["Model", "JSON"]),
        tests(
            of: "App",
            uses: ["HTTP", "JSON", "Model", "Platform", "LeadRegistration", "Database"]),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
