import Glibc

/// How a text is shown on a terminal.
enum Style: Sendable {
  case plain
  case bold
  case faint
  case good
  case warning
  case bad

  private var code: String? {
    switch self {
    case .plain: return nil
    case .bold: return "1"
    case .faint: return "2"
    case .good: return "32"
    case .warning: return "33"
    case .bad: return "31"
    }
  }

  func applied(to text: String) -> String { code.map { "\u{1B}[\($0)m\(text)\u{1B}[0m" } ?? text }

  /// Colours are for terminals that can show them, and for people who have not said otherwise (https://no-color.org).
  static func isWanted(on descriptor: Int32) -> Bool {
    guard isatty(descriptor) == 1 else { return false }
    if let refusal = getenv("NO_COLOR"), refusal.pointee != 0 { return false }
    guard let terminal = getenv("TERM") else { return false }
    return strcmp(terminal, "dumb") != 0
  }

  /// How the status of a task or an agent is shown.
  static func status(_ word: String) -> Style {
    switch word {
    case "completed", "ACTIVE", "ok": return .good
    case "error", "failed", "no": return .bad
    case "stopped", "paused", "DRAFT", "PENDING", "revoked", "expired", "warning": return .warning
    default: return .plain
    }
  }
}
