import Foundation

/// Another process that uses the same files, played by Python with its own SQLite. It speaks in lines.
final class OtherProcess: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffer = Data()

  /// Starts a script; `arguments` are `sys.argv[1:]`. `say(text)` and `hear()` speak with the test; `lock(path, byte)`
  /// takes a record lock and gives a function that drops it.
  init(_ script: String, _ arguments: [String]) throws {
    let prelude = """
      import fcntl, os, sqlite3, sys, threading, time
      def say(text): print(text, flush=True)
      def hear(): return sys.stdin.readline().strip()
      def lock(path, byte):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, byte)
        return lambda: fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte)

      """
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", prelude + script] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  deinit { kill() }

  /// The next line that it says; empty when it has ended.
  func line() -> String {
    while true {
      if let end = buffer.firstIndex(of: 0x0a) {
        let line = String(decoding: buffer[buffer.startIndex..<end], as: UTF8.self)
        buffer = Data(buffer[buffer.index(after: end)...])
        return line
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return "" }
      buffer += more
    }
  }

  func tell(_ text: String) { try? input.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8)) }

  /// Ends it as `kill -9` does.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }
}

/// Runs a script to its end and gives its first line.
func python(_ script: String, _ arguments: String...) throws -> String {
  let other = try OtherProcess(script, arguments)
  let line = other.line()
  _ = other.wait()
  return line
}
