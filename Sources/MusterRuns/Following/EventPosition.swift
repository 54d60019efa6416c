import MusterSystem

/// A place between the events of a task: behind a record of its journal, or somewhere in the text that is being answered
/// behind that record.
package struct EventPosition: Sendable, Equatable {
  /// The number of the record; 0 is before the first.
  package var sequence: Int64
  /// The attempt to get an answer that began behind the record; nil: right behind the record; 0: between the events that
  /// the record itself is.
  package var attempt: Int64?
  /// How many bytes (UTF-8) of the attempt's text are before the place, or how many of the record's events.
  package var offset: Int64

  package init(sequence: Int64, attempt: Int64? = nil, offset: Int64 = 0) {
    self.sequence = sequence
    self.attempt = attempt
    self.offset = offset
  }

  /// Before everything.
  package static let start = EventPosition(sequence: 0)

  /// Whether some of the events that the record is are before the place, and some behind it.
  var isWithinRecord: Bool { attempt == 0 }

  /// `12`, or `12.1.40`: record, attempt, offset.
  package var text: String {
    guard let attempt else { return "\(sequence)" }
    return "\(sequence).\(attempt).\(offset)"
  }

  /// Reads it back; nil when it is none.
  package init?(text: String) {
    var numbers: [Int64] = []
    for part in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      guard numbers.count < 3, (1...18).contains(part.count), part.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
        return nil
      }
      numbers.append(part.reduce(0) { $0 &* 10 &+ Int64($1 &- 0x30) })
    }
    switch numbers.count {
    case 1: self.init(sequence: numbers[0])
    case 3: self.init(sequence: numbers[0], attempt: numbers[1], offset: numbers[2])
    default: return nil
    }
  }
}
