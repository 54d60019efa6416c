import CPlatform

/// Small files that a configuration names.
package enum FileText {
  /// The bytes of a file; nil when it cannot be read, or has more than `maximum`. `problem` says why.
  package static func read(_ path: String, maximum: Int, problem: inout String) -> [UInt8]? {
    let descriptor = path.withCString { platform_file_open($0, platform_open_read, 0) }
    guard descriptor >= 0 else {
      problem = errorText(platform_errno())
      return nil
    }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = CPlatform.read(descriptor, &part, part.count)
      if count < 0 {
        let number = platform_errno()
        if number == EINTR { continue }
        problem = errorText(number)
        return nil
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: part.prefix(count))
      if bytes.count > maximum {
        problem = "it has more than \(maximum) bytes"
        return nil
      }
    }
  }

  /// What an error number means.
  package static func errorText(_ number: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    platform_error_text(number, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
