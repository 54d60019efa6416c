import Foundation

/// The model server of `Tests/servers` in a process of its own, which ends with this object or this process.
final class ModelServer: @unchecked Sendable {
  /// As a model's base: `http://127.0.0.1:PORT/v1`.
  let base: String
  private let process = Process()
  private let input = Pipe()

  struct Failure: Error { let text: String }

  init(_ arguments: [String] = []) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", ModelServer.script, "--until-stdin-closes"] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0a { line.append(byte) }
    let text = String(decoding: line, as: UTF8.self)
    guard let base = text.split(separator: " ").last.map(String.init), base.hasPrefix("http://") else {
      throw Failure(text: "the model server does not start: \(text)")
    }
    self.base = base
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private static var script: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("servers/model_server.py").path
  }

  /// The server that the tests of this room share: what it answers is chosen by the name of the model.
  static let shared = Result { try ModelServer() }
}
