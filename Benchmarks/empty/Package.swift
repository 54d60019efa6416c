// swift-tools-version: 6.2
import PackageDescription

// What a library costs that uses Swift's standard library and does nothing: built with the flags of the Makefile.
let package = Package(
  name: "empty",
  products: [.library(name: "empty", type: .dynamic, targets: ["Empty"])],
  targets: [.target(name: "Empty")],
  swiftLanguageModes: [.v6]
)
