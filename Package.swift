// swift-tools-version: 6.2
import PackageDescription

// The library's sources are also built as Embedded Swift (see the Makefile); the flags of that build stand here because SwiftPM takes the feature
// from the manifest only.
let embedded = Context.environment["MUSTER_EMBEDDED"] == "1"

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
  ]
  + (embedded ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo"])] : [])

/// `isSmall`: of a room that is not on the way of a call, size counts more than speed.
func room(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], isSmall: Bool = false
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude,
    swiftSettings: settings + (isSmall ? [.unsafeFlags(["-Osize"], .when(configuration: .release))] : []))
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

let package = Package(
  name: "muster",
  products: [
    .library(name: "muster", type: .dynamic, targets: ["MusterABI"])
  ],
  targets: [
    .systemLibrary(name: "CMuster", path: "include"),
    .systemLibrary(name: "CJansson"),
    .systemLibrary(name: "CSQLite"),
    .target(name: "CPlatform"),
    .target(name: "CCurl", dependencies: ["CPlatform"]),
    .target(name: "CCrypto"),
    .target(name: "CMicrohttpd", dependencies: ["CPlatform"]),

    room("MusterSystem", ["CCrypto", "CPlatform"]),
    room("MusterJSON", ["CJansson", "CPlatform"]),
    room("MusterHTTP", ["CCurl", "CPlatform", "MusterSystem"]),
    room("MusterStore", ["CSQLite", "CPlatform", "MusterJSON", "MusterSystem"]),
    room("MusterEngine", ["MusterJSON"]),
    room("MusterRemote", ["MusterHTTP", "MusterJSON", "MusterSystem"], isSmall: true),
    room("MusterModels", ["MusterHTTP", "MusterJSON", "MusterSystem"]),
    room("MusterTools", ["MusterJSON", "MusterSystem"], isSmall: true),
    room(
      "MusterRuns",
      ["MusterEngine", "MusterHTTP", "MusterJSON", "MusterModels", "MusterStore", "MusterSystem", "MusterTools"]),
    room(
      "MusterAPI",
      [
        "CPlatform", "MusterEngine", "MusterHTTP", "MusterJSON", "MusterModels", "MusterRemote", "MusterRuns",
        "MusterStore", "MusterSystem", "MusterTools",
      ]),
    room(
      "MusterServer", ["CMicrohttpd", "CPlatform", "MusterAPI", "MusterHTTP", "MusterJSON", "MusterSystem"],
      isSmall: true),
    room(
      "MusterABI",
      [
        "CJansson", "CMuster", "CPlatform", "MusterAPI", "MusterJSON", "MusterServer", "MusterSystem", "MusterTools",
      ],
      exclude: ["muster.map"]),
    .executableTarget(
      name: "MusterCommand", dependencies: ["CJansson", "CMuster", "MusterABI"], swiftSettings: settings),

    // What the benchmarks measure at seams that C does not see.
    .target(
      name: "BenchFloor", path: "Benchmarks/turns/CFloor", cSettings: [.headerSearchPath("../../../include")],
      linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("jansson")]),
    .executableTarget(
      name: "turns",
      dependencies: [
        "BenchFloor", "MusterHTTP", "MusterJSON", "MusterModels", "MusterRuns", "MusterStore", "MusterSystem",
        "MusterTools",
      ], path: "Benchmarks/turns/Turns", swiftSettings: settings),

    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
    tests("MusterSystemTests", ["MusterSystem"]),
    tests("MusterJSONTests", ["MusterJSON", "CJansson"]),
    tests("MusterHTTPTests", ["CPlatform", "MusterHTTP", "MusterSystem"]),
    tests("MusterRemoteTests", ["MusterRemote", "MusterJSON", "MusterSystem"]),
    tests("MusterABITests", ["CMuster", "MusterABI"]),
    tests("MusterStoreTests", ["CSQLite", "MusterStore", "MusterJSON", "MusterSystem"]),
    tests("MusterToolsTests", ["MusterTools", "MusterJSON", "MusterSystem"]),
    tests("MusterEngineTests", ["MusterEngine", "MusterJSON"]),
    tests("MusterModelsTests", ["MusterModels", "MusterJSON", "MusterHTTP", "MusterSystem"]),
    tests(
      "MusterRunsTests",
      ["MusterRuns", "MusterStore", "MusterEngine", "MusterHTTP", "MusterJSON", "MusterModels", "MusterSystem"]),
    tests("MusterAPITests", ["MusterAPI", "MusterHTTP", "MusterJSON", "MusterStore", "MusterSystem", "MusterTools"]),
    tests("MusterServerTests", ["MusterServer", "MusterAPI", "MusterHTTP", "MusterJSON", "MusterSystem"]),
  ],
  swiftLanguageModes: [.v6]
)
