/// Why the program ends without success: the line for standard error and the exit code.
struct Failure: Error {
  let message: String
  let code: Int32

  /// The operation failed.
  static func operation(_ message: String) -> Failure { Failure(message: message, code: ExitCode.failed) }

  /// The command line is wrong.
  static func usage(_ message: String) -> Failure {
    Failure(message: message + "\nTry `muster help`.", code: ExitCode.usage)
  }
}

/// What the program tells the shell.
enum ExitCode {
  static let success: Int32 = 0
  static let failed: Int32 = 1
  static let usage: Int32 = 2
  /// The agent ran, but its task ended `failed`, `error` or `stopped`.
  static let notCompleted: Int32 = 3
  /// Ctrl-C, as shells count it: 128 + SIGINT.
  static let interrupted: Int32 = 130
}
