import Glibc

/// Texts from files and from standard input.
enum Input {
  /// What the library takes at most.
  private static let limit = 64 << 20

  static func file(_ path: String) throws(Failure) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .operation("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    return try text(descriptor, path)
  }

  static func standard() throws(Failure) -> String { try text(STDIN_FILENO, "standard input") }

  private static func text(_ descriptor: Int32, _ name: String) throws(Failure) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .operation("\(name): \(String(cString: strerror(errno)))") }
      if count == 0 { break }
      bytes += buffer[..<count]
      if bytes.count > limit { throw .operation("\(name) has more than \(limit) bytes") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .operation("\(name) is not UTF-8") }
    return text
  }
}
