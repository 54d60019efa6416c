import Glibc

/// Standard output and standard error.
enum Output {
  /// Writes text to standard output. On a terminal, control characters are replaced: an answer of a model must not move the
  /// cursor or change colours.
  static func text(_ text: String) {
    write(isatty(STDOUT_FILENO) == 1 ? printable(text, keepingLines: true) : text, to: STDOUT_FILENO)
  }

  /// Writes text that is safe for a terminal already, and may have colours.
  static func styled(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// Writes a line for people beside the answer, only when somebody looks at a terminal.
  static func note(_ text: String, style: Style = .plain) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    let line = printable(text, keepingLines: false)
    write((Style.isWanted(on: STDERR_FILENO) ? style.applied(to: line) : line) + "\n", to: STDERR_FILENO)
  }

  /// Writes a line that scripts may not miss either.
  static func warning(_ text: String) {
    write("muster: " + printable(text, keepingLines: true) + "\n", to: STDERR_FILENO)
  }

  static func error(_ message: String) {
    write("muster: " + printable(message, keepingLines: true) + "\n", to: STDERR_FILENO)
  }

  /// The columns of the terminal, 80 when standard output is none.
  static var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The text with U+FFFD in place of control characters and of characters that turn the direction of writing.
  static func printable(_ text: String, keepingLines: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A, 0x09: result.append(keepingLines ? scalar : " ")
      case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        } else if errno != EINTR {
          // An answer that is not written is a failure; without standard error there is nobody to tell.
          if descriptor == STDOUT_FILENO { error("cannot write: \(String(cString: strerror(errno)))") }
          _exit(ExitCode.failed)
        }
      }
    }
  }
}
