import CPlatform
import CSQLite

/// Looks at a file before SQLite uses it as a database, so that a file which is not ours stays as it is.
enum StoreFile {
  /// Refuses a file that is neither empty nor a store of a version that can be read, without opening it as a database.
  /// Called while no other thread of this process opens or closes it.
  static func inspect(_ path: String) throws(StoreError) {
    var status = platform_file_status()
    let failure = path.withCString { platform_file_stat($0, &status) }
    guard failure == 0 else { throw .cannotOpen(errorText(failure)) }
    if status.is_directory { throw .notAStore("it is a directory") }
    guard status.is_regular else { throw .notAStore("it is not a regular file") }
    if status.size == 0 { return }
    // The header of an SQLite file: magic in bytes 0-15, user_version at 60, application_id at 68, both big-endian.
    let header = try Database.head(of: path, count: 100)
    guard header.starts(with: Array("SQLite format 3".utf8)) else {
      throw .notAStore("it is not an SQLite database")
    }
    let application = bigEndian(header, at: 68)
    let version = bigEndian(header, at: 60)
    guard application == Schema.applicationID else {
      throw .notAStore("it is an SQLite database of another program")
    }
    guard version <= Schema.version else { throw .newer(schema: version, supported: Schema.version) }
  }

  /// Makes an empty file that only its owner can read; it is no error if the file is there.
  static func create(_ path: String) throws(StoreError) {
    let descriptor = path.withCString {
      platform_file_open($0, platform_open_read_write | platform_open_create | platform_open_exclusive, 0o600)
    }
    if descriptor >= 0 {
      close(descriptor)
    } else if platform_errno() != EEXIST {
      throw .cannotOpen(errorText(platform_errno()))
    }
  }

  /// Removes a file that nobody uses.
  static func remove(_ path: String) { _ = path.withCString { unlink($0) } }

  /// Names the file whatever path leads to it.
  static func identity(_ path: String) throws(StoreError) -> (device: UInt64, inode: UInt64) {
    var status = platform_file_status()
    let failure = path.withCString { platform_file_stat($0, &status) }
    guard failure == 0 else { throw .cannotOpen(errorText(failure)) }
    return (status.device, status.inode)
  }

  /// The absolute path of a file that is there, without symbolic links.
  ///
  /// All processes must find the same lock file beside the file, whatever path they were given, and connections that
  /// are opened later must find the same file although the host has changed its working directory.
  static func resolved(_ path: String) throws(StoreError) -> String {
    guard let text = path.withCString({ realpath($0, nil) }) else { throw .cannotOpen(errorText(platform_errno())) }
    defer { free(text) }
    return UnsafePointer(text).textCopy
  }

  static func errorText(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 160)
    platform_error_text(number, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func bigEndian(_ bytes: [UInt8], at offset: Int) -> Int64 {
    bytes.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | Int64($1) }
  }
}
