package import MusterSystem

/// How many requests a key may make within a fixed window of the clock.
package struct RateWindow: Sendable {
  package let seconds: Int64
  package let limit: Int64

  package init(seconds: Int64, limit: Int64) {
    self.seconds = seconds
    self.limit = limit
  }
}

/// How a key stands in its windows, in the order in which they were given.
package struct RateCount: Sendable {
  /// Whether the request was counted; if not, one of the windows was full before.
  package let isAdmitted: Bool
  /// The requests in each window, this one included if it was counted.
  package let counts: [Int64]
  /// When it was counted.
  package let time: Timestamp

  package init(isAdmitted: Bool, counts: [Int64], time: Timestamp) {
    self.isAdmitted = isAdmitted
    self.counts = counts
    self.time = time
  }
}

extension Store {
  /// Counts a request of a key unless one of the windows is full. Requests of all threads and processes are counted one
  /// after the other; the counts are kept, though not safe from a power cut. `now`: the clock.
  package func admit(
    _ key: String, _ windows: [RateWindow], now: @escaping () -> Timestamp = { .now() }
  ) throws(StoreError) -> RateCount {
    try write(owed: false) { (database: Database) throws(StoreError) -> RateCount in
      // Read here, where one comes after the other: a request that waited must not be counted in a window before that
      // of a request which is counted already.
      let time = now()
      var next: [(window: RateWindow, number: Int64, count: Int64)] = []
      for window in windows {
        let number = time.seconds / max(window.seconds, 1)
        let stored = try database.statement("SELECT window, count FROM rates WHERE key_id = ? AND seconds = ?")
          .bind(1, key).bind(2, window.seconds).first { (number: $0.integer(0), count: $0.integer(1)) }
        if let stored, stored.number == number || stored.number == number &+ 1 {
          // The clock may have been set back a little.
          next.append((window, stored.number, stored.count))
        } else {
          next.append((window, number, 0))
        }
      }
      guard next.allSatisfy({ $0.count < $0.window.limit }) else {
        return RateCount(isAdmitted: false, counts: next.map { $0.count }, time: time)
      }
      for entry in next {
        try database.statement(
          """
          INSERT INTO rates (key_id, seconds, window, count) VALUES (?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET window = excluded.window, count = excluded.count
          """
        ).bind(1, key).bind(2, entry.window.seconds).bind(3, entry.number).bind(4, entry.count &+ 1).run()
      }
      return RateCount(isAdmitted: true, counts: next.map { $0.count &+ 1 }, time: time)
    }
  }
}
