import CPlatform

/// A moment on the monotonic clock, or never.
package struct Deadline: Sendable {
  /// Nanoseconds of the monotonic clock; nil means never.
  package let nanoseconds: Int64?

  package static let never = Deadline(nanoseconds: nil)

  package init(nanoseconds: Int64?) { self.nanoseconds = nanoseconds }

  /// The moment `milliseconds` from now; a negative number means never.
  package static func after(milliseconds: Int64) -> Deadline {
    guard milliseconds >= 0 else { return .never }
    let (span, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (moment, late) = platform_clock_monotonic_nanoseconds().addingReportingOverflow(span)
    return overflow || late ? .never : Deadline(nanoseconds: moment)
  }

  /// Milliseconds that are left, rounded up, 0 when it has passed; nil for never.
  package var remainingMilliseconds: Int64? {
    guard let nanoseconds else { return nil }
    let now = platform_clock_monotonic_nanoseconds()
    guard nanoseconds > now else { return 0 }
    let left = nanoseconds &- now
    return left / 1_000_000 + (left % 1_000_000 > 0 ? 1 : 0)
  }

  package var hasPassed: Bool { remainingMilliseconds == 0 }

  package func earlier(_ other: Deadline) -> Deadline {
    guard let mine = nanoseconds else { return other }
    guard let theirs = other.nanoseconds else { return self }
    return mine <= theirs ? self : other
  }
}
