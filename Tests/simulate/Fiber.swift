import CSimulate

/// What runs beside others on the machine.
enum Fiber {
  private final class Body {
    let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }
  }

  /// Starts one, in a process; 0 is the world around them.
  static func spawn(_ name: String, in process: Int, _ body: @escaping () -> Void) {
    let pointer = Unmanaged.passRetained(Body(body)).toOpaque()
    simulate_spawn(
      name, Int32(process),
      { pointer in
        guard let pointer else { return }
        // Released before the end: nothing is left on the stack of a fiber that has ended.
        Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
      }, pointer)
  }

  static func sleep(milliseconds: Int64) { simulate_sleep(milliseconds * 1_000_000) }

  /// Milliseconds since the schedule began.
  static var now: Int64 { simulate_now_nanoseconds() / 1_000_000 }
}
