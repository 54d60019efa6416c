import CMuster
import Glibc

/// Writes the library's log lines to standard error: those of requests as they are, the others with their component.
final class LogSink: Sendable {
  /// What `muster_open` is told. The object must outlive the plane.
  var host: muster_host {
    var host = muster_host()
    host.struct_size = MemoryLayout<muster_host>.size
    host.log = { _, level, component, message, length in
      let isRequest = strcmp(component, "request") == 0
      guard isRequest || level <= MUSTER_LOG_INFO else { return }
      var line = isRequest ? "" : "muster: \(String(cString: component)): "
      let bytes = UnsafeRawBufferPointer(start: message, count: length)
      line += Output.printable(String(decoding: bytes, as: UTF8.self), keepingLines: false) + "\n"
      LogSink.write(line)
    }
    return host
  }

  /// In one piece, so that lines of several threads stay whole. A reader that has gone must not end the program.
  private static func write(_ line: String) {
    var line = line
    line.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
