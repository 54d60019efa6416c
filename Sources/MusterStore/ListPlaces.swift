import MusterSystem

/// Remembers where pages of a list ended, so that whoever goes on from page to page does not search for the next one.
///
/// A place is good while nothing in the list has changed, in whatever process. The number of rows and the highest
/// position tell that: a row that is added gets a position above all earlier ones. With the same highest position all
/// such rows are gone again, and with the same number of rows none of the others has gone with them.
final class ListPlaces: @unchecked Sendable {
  /// What a list looks like: equal only for the same rows in the same order.
  struct State: Equatable {
    let rows: Int64
    let top: Int64
  }

  private struct Place {
    let organization: String
    let state: State
    /// How many rows come before.
    let offset: Int64
    /// The rows behind have positions below this one.
    let below: Int64
  }

  /// As many can walk at the same time.
  private static let most = 16

  private let lock = Lock()
  private var places: [Place] = []
  private var next = 0

  /// The position below which the rows from `offset` on begin, if a page ended there.
  func below(offset: Int64, of state: State, in organization: String) -> Int64? {
    lock.withLock {
      places.first { $0.offset == offset && $0.state == state && $0.organization == organization }?.below
    }
  }

  /// Notes that a page from `offset` on had `count` rows, the last of them at a position.
  func note(_ count: Int64, from offset: Int64, last: Int64, of state: State, in organization: String) {
    let place = Place(organization: organization, state: state, offset: offset &+ count, below: last)
    lock.withLock {
      // Whoever walked to here goes on; what was noted for an earlier state is of no use any more.
      let index = places.firstIndex {
        $0.organization == organization && ($0.offset == offset || $0.offset == place.offset || $0.state != state)
      }
      if let index {
        places[index] = place
      } else if places.count < ListPlaces.most {
        places.append(place)
      } else {
        places[next % places.count] = place
        next = (next + 1) % ListPlaces.most
      }
    }
  }
}
