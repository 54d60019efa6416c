import CSimulate

/// Where one fiber waits until others have something for it.
final class News: @unchecked Sendable {
  private let place = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

  init() { place.initialize(to: 0) }

  deinit { place.deallocate() }

  func tell() { simulate_wake(place) }

  /// Waits for news; it may return without any.
  func wait(milliseconds: Int64) { _ = simulate_wait(place, milliseconds * 1_000_000) }
}
