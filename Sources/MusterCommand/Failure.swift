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

  static let outOfMemory = Failure.operation("out of memory")
}

/// What the program tells the shell. The numbers are permanent.
enum ExitCode {
  static let success: Int32 = 0
  static let failed: Int32 = 1
  static let usage: Int32 = 2
  static let notCompleted: Int32 = 3
  static let damaged: Int32 = 4
  static let interrupted: Int32 = 130

  static let all: [(code: Int32, meaning: String)] = [
    (success, "It worked."),
    (failed, "The operation failed; `doctor` found something that does not work."),
    (usage, "The command line is wrong."),
    (
      notCompleted,
      "The agent ran, but its task ended failed, error or stopped, is paused for a person, or its time ran out."
    ),
    (damaged, "`store check` or `tasks replay` found something wrong."),
    (interrupted, "Ctrl-C, as shells count it."),
  ]
}
