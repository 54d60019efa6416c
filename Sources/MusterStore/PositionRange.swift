/// The numbers of the store's own order that one connection may still give out.
///
/// The store keeps the end of the last range that anybody took. Whoever has written last, and finds that end unchanged,
/// goes on with its range and writes nothing, which saves a page in each transaction; whoever finds another takes what is
/// behind it. So numbers rise from commit to commit, whoever commits, and none is given out twice. They have gaps where a
/// range was not used up.
struct PositionRange {
  /// The last number of the range, as the store has it.
  private(set) var end: Int64 = 0
  /// The number that was given out last, if the range was not given up since: no other is greater then.
  private(set) var last: Int64 = 0
  /// How many numbers the next range takes: the more often nobody else came between, the more.
  private var length: Int64 = 1
  private static let greatestLength: Int64 = 64

  var isEmpty: Bool { last >= end }

  /// Gives up the range if the store has another end than this: then somebody else has taken one since, or nobody was
  /// asked yet.
  mutating func compare(with stored: Int64) {
    if stored == end { return }
    end = stored
    last = stored
    length = 1
  }

  /// Takes the next range, which has to be written with what uses it.
  mutating func extend() {
    end &+= length
    length = min(length &* 2, PositionRange.greatestLength)
  }

  mutating func next() -> Int64 {
    last &+= 1
    return last
  }
}
