import Glibc

/// The API key that a store gets when it is first served.
enum FirstKey {
  /// Makes the key if the store never had one, and writes it to the file, which only its owner can read. Nil when there was a
  /// key before; then the file stays as it is.
  static func make(_ plane: Plane, file: String?) throws(Failure) -> String? {
    guard let arguments = Value.object() else { throw .outOfMemory }
    // First, so that a key is only made if it can be written.
    let written = try file.map { path throws(Failure) in try PrivateFile(replacing: path) }
    let answer = try Value.parse(try plane.answer("keys.first", arguments))
    guard let key = answer.string("key") else { return nil }
    do throws(Failure) {
      try written?.keep(key + "\n")
    } catch {
      // The key is in the store: whoever started the server must not lose it.
      Output.text("key \(key)\n")
      throw error
    }
    return key
  }
}
