import CMuster
import Glibc

/// Turns Ctrl-C into the cancelling of one call, for as long as the call runs. A second Ctrl-C ends the program at once.
struct InterruptWatch {
  private struct Target {
    let plane: OpaquePointer
    let ticket: muster_ticket
  }

  private var previous = sigset_t()

  /// Starts to watch. A SIGINT that the program's parent has told it to ignore stays ignored.
  init(plane: Plane, ticket: muster_ticket) {
    pthread_sigmask(SIG_BLOCK, nil, &previous)
    if StopSignals.isIgnored(SIGINT) { return }
    var interrupt = Self.interruptSet
    pthread_sigmask(SIG_BLOCK, &interrupt, nil)
    let target = UnsafeMutablePointer<Target>.allocate(capacity: 1)
    target.initialize(to: Target(plane: plane.handle, ticket: ticket))
    // The thread waits for the signal, so that nothing has to be done inside a handler. It ends with the process, and a
    // cancel that comes after the call is harmless: the target is never freed.
    var thread = pthread_t()
    let failed = pthread_create(
      &thread, nil,
      { argument in
        guard let target = argument?.assumingMemoryBound(to: Target.self) else { return nil }
        var interrupt = InterruptWatch.interruptSet
        var signal: Int32 = 0
        guard sigwait(&interrupt, &signal) == 0 else { return nil }
        _ = muster_cancel(target.pointee.plane, target.pointee.ticket)
        guard sigwait(&interrupt, &signal) == 0 else { return nil }
        _exit(ExitCode.interrupted)
      }, target)
    if failed == 0 {
      pthread_detach(thread)
    } else {
      end()
    }
  }

  /// Gives SIGINT back its usual effect.
  func end() {
    var mask = previous
    pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  private static var interruptSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    return set
  }
}
