import Glibc

/// The signals that ask the program to stop. Those that its parent has told it to ignore stay ignored.
struct StopSignals {
  private var set = sigset_t()

  /// Holds the signals back until somebody waits for them; threads that are made later inherit that.
  init() {
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP] where !Self.isIgnored(signal) { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Waits for one of them, and gives its number.
  func wait() -> Int32 {
    var set = set
    var received: Int32 = 0
    while sigwait(&set, &received) != 0 {}
    return received
  }

  /// From now on one of them ends the program at once.
  func endProgramAtNext() {
    for signal in [SIGINT, SIGTERM, SIGHUP] where !Self.isIgnored(signal) {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in _exit(128 + number) }
      sigaction(signal, &action, nil)
    }
    var set = set
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    // SIG_IGN is a macro with a cast: Swift sees neither it nor a way to compare functions.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}
