// Behind the package's manifest in the copy that Tests/fuzz/run.sh builds.
func fuzzer(_ name: String, _ folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies + ["CFuzzer"], path: "Tests/fuzz/\(folder)", swiftSettings: settings)
}

package.targets += [
  .systemLibrary(name: "CFuzzer", path: "Tests/fuzz/CFuzzer"),
  fuzzer("FuzzJSON", "json", ["CJansson", "MusterJSON"]),
  fuzzer("FuzzCall", "call", ["CJansson", "CMuster", "MusterABI"]),
  fuzzer("FuzzHTTP", "http", ["CJansson", "CMuster", "MusterABI"]),
  fuzzer("FuzzWire", "wire", ["MusterHTTP", "MusterJSON", "MusterModels"]),
  fuzzer("FuzzStream", "stream", ["MusterHTTP", "MusterJSON", "MusterModels", "MusterSystem"]),
]
