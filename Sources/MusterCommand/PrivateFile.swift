import Glibc

/// A file that only its owner can read and that takes its place when it is whole.
final class PrivateFile {
  private let path: String
  private var temporary: [CChar]
  private let descriptor: Int32
  private var isKept = false

  init(replacing path: String) throws(Failure) {
    self.path = path
    temporary = Array("\(path).XXXXXX".utf8CString)
    // With mode 0600.
    descriptor = mkstemp(&temporary)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if !isKept { unlink(temporary) }
  }

  func keep(_ text: String) throws(Failure) {
    let bytes = Array(text.utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0, rename(temporary, path) == 0
    else { throw Self.failure(path) }
    isKept = true
  }

  private static func failure(_ path: String) -> Failure {
    .operation("\(path): \(String(cString: strerror(errno)))")
  }
}
