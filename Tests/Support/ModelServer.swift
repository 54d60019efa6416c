package import Foundation

/// The model server of `Tests/servers` in a process of its own, which ends with this object or this process.
package final class ModelServer: @unchecked Sendable {
  /// As a model's base: `http://127.0.0.1:PORT/v1`.
  package let base: String
  package let port: Int
  private let process = Process()
  private let input = Pipe()

  package struct Failure: Error {
    package let text: String
    package init(text: String) { self.text = text }
  }

  package init(_ arguments: [String] = []) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", ModelServer.script, "--until-stdin-closes"] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0a { line.append(byte) }
    let text = String(decoding: line, as: UTF8.self)
    guard let base = text.split(separator: " ").last.map(String.init), let port = URL(string: base)?.port else {
      throw Failure(text: "the model server does not start: \(text)")
    }
    self.base = base
    self.port = port
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private static var script: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("servers/model_server.py").path
  }

  /// One that the tests of a process share: what it answers is chosen by the name of the model.
  package static let shared = Result { try ModelServer() }

  /// What the server has seen.
  package struct Observed: Decodable {
    package struct Disconnect: Decodable {
      package let model: String
      package let afterMs: Int
      package let how: String
    }
    package let requests: Int
    package let connections: Int
    package let disconnects: [Disconnect]
    package let models: [String: Int]
    package let lastHeaders: [String: String]?
    package let lastTarget: String?
    package let streams: Int
    package let mostStreams: Int
  }

  /// Asks over plain HTTP, with nothing of the code under test.
  package func observed() throws -> Observed {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    guard connectToLoopback(descriptor, port: port) else { throw Failure(text: "the model server is gone") }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    try handle.write(contentsOf: Data("GET /observed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
    let answer = try handle.readToEnd() ?? Data()
    guard let gap = answer.range(of: Data("\r\n\r\n".utf8)) else {
      throw Failure(text: "no answer from the model server")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Observed.self, from: answer[gap.upperBound...])
  }

  /// Waits until the server has seen something.
  package func observed(within seconds: Double = 5, until condition: (Observed) -> Bool) throws -> Observed {
    let end = Date().addingTimeInterval(seconds)
    while true {
      let seen = try observed()
      if condition(seen) || Date() > end { return seen }
      usleep(5_000)
    }
  }
}

/// The address of a port on the loopback interface.
package func loopback(port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// Connects, or begins to, if the descriptor does not block.
@discardableResult
package func connectToLoopback(_ descriptor: Int32, port: Int) -> Bool {
  var address = loopback(port: port)
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
