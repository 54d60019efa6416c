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

/// What the simulator stands in for: whatever of the platform could be otherwise the next time.
let simulated = [
  "platform_mutex_new", "platform_mutex_free", "platform_mutex_lock", "platform_mutex_unlock", "platform_condition_new",
  "platform_condition_free", "platform_condition_signal", "platform_condition_broadcast", "platform_condition_wait",
  "platform_inside_enter", "platform_inside_leave", "platform_inside_suspend", "platform_inside_resume",
  "platform_fork_watch", "platform_fork_keep", "platform_thread_start", "platform_thread_start_joined",
  "platform_thread_join", "platform_thread_detach", "platform_thread_is_current", "platform_callback_depth",
  "platform_callback_enter", "platform_callback_leave", "platform_thread_frame", "platform_thread_frame_set",
  "platform_clock_monotonic_nanoseconds", "platform_clock_realtime_microseconds", "platform_random_bytes",
  "platform_environment", "platform_process_id", "platform_file_open", "platform_file_stat", "platform_record_lock",
  "platform_record_unlock", "platform_description_lock", "platform_description_unlock",
  "platform_description_is_held", "usleep", "close", "realpath",
]

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
    .target(name: "CSimulate", dependencies: ["CPlatform", "CSQLite"], path: "Tests/simulate/machine"),
    .executableTarget(
      name: "MusterSimulate",
      dependencies: [
        "CSimulate", "MusterEngine", "MusterHTTP", "MusterJSON", "MusterModels", "MusterRuns", "MusterStore",
        "MusterSystem", "MusterTools",
      ],
      path: "Tests/simulate", exclude: ["machine", "run.sh"], swiftSettings: settings,
      linkerSettings: [.unsafeFlags(simulated.flatMap { ["-Xlinker", "--wrap=\($0)"] })]),
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
