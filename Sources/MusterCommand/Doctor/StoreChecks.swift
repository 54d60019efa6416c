import Glibc

/// The store: its file, its folder, and the disk below.
enum StoreChecks {
  static func findings(_ session: Session) -> [Finding] {
    if session.target == ":memory:" { return [Finding("store", .warning, "in memory: gone with the program")] }
    let path = session.target
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    return [file(path, folder, session)] + disk(folder)
  }

  private static func file(_ path: String, _ folder: String, _ session: Session) -> Finding {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno != ENOENT { return Finding("store", .bad, "\(path): \(text(errno))") }
      return access(folder, W_OK | X_OK) == 0
        ? Finding("store", .good, "\(path) is not there yet and can be made")
        : Finding("store", .bad, "\(path) is not there, and its folder: \(text(errno))")
    }
    // SQLite needs files beside it.
    for (name, needed) in [(path, R_OK | W_OK), (folder, W_OK | X_OK)] where access(name, needed) != 0 {
      return Finding("store", .bad, "\(name): \(text(errno))")
    }
    do throws(Failure) {
      guard let arguments = Value.object() else { throw .outOfMemory }
      arguments.set("per_page", 1)
      let page = try Value.parse(try session.open().answer("agents.list", arguments))
      let mode = status.st_mode & 0o077
      let detail = "\(path), \(page.integer("total")) agents"
      return mode == 0
        ? Finding("store", .good, detail)
        : Finding("store", .warning, "\(detail); others than its owner may use the file: chmod 600")
    } catch {
      return Finding("store", .bad, "\(path): \(error.message)")
    }
  }

  /// Room, and whether a write can be made durable, which every acknowledged change waits for.
  private static func disk(_ folder: String) -> [Finding] {
    var room = statvfs()
    var findings: [Finding] = []
    if statvfs(folder, &room) == 0 {
      let megabytes = (UInt64(room.f_bavail) &* UInt64(room.f_frsize)) >> 20
      findings.append(Finding("room", megabytes < 100 ? .warning : .good, "\(megabytes) MB free in \(folder)"))
    }
    var name = Array("\(folder)/.muster-doctor-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { return findings + [Finding("sync", .bad, "\(folder): \(text(errno))")] }
    defer { close(descriptor) }
    unlink(name)
    let page = [UInt8](repeating: 0, count: 4096)
    let began = Time.monotonicMilliseconds()
    let rounds = 5
    for _ in 0..<rounds {
      guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0 else {
        return findings + [Finding("sync", .bad, "\(folder): \(text(errno))")]
      }
    }
    let each = (Time.monotonicMilliseconds() - began) / rounds
    let detail = each == 0 ? "less than 1 ms for a durable write" : "\(each) ms for a durable write"
    return findings + [Finding("sync", each > 100 ? .warning : .good, detail)]
  }

  private static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
