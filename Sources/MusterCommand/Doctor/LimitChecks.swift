import Glibc

/// What the system allows this user's processes.
enum LimitChecks {
  static var findings: [Finding] {
    var findings: [Finding] = []
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      let detail = "\(text(limit.rlim_cur)), at most \(text(limit.rlim_max))"
      findings.append(
        Finding("open files", limit.rlim_cur < 1024 ? .warning : .good, "\(detail); a server needs one a connection"))
    }
    if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0, limit.rlim_cur != unlimited {
      findings.append(Finding("file size", .warning, "files may have at most \(limit.rlim_cur) bytes"))
    }
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != unlimited {
      findings.append(Finding("memory", .warning, "a process may have at most \(limit.rlim_cur) bytes"))
    }
    return findings
  }

  private static let unlimited = rlim_t.max

  private static func text(_ limit: rlim_t) -> String { limit == unlimited ? "unlimited" : "\(limit)" }
}
