package import MusterSystem

/// A fact about a task and what it caused. Records of a task are numbered from 1 without gaps, and never change.
package struct JournalRecord: Sendable {
  /// Which message of the conversation a record is.
  package enum Role: Int64, Sendable {
    case user = 1
    case assistant = 2
  }

  package let turn: Int64
  package let sequence: Int64
  package let kind: Int64
  /// The version of the form of `body` and `commands`.
  package let format: Int64
  package let time: Timestamp
  package let role: Role?
  /// The event, a JSON object.
  package let body: [UInt8]
  /// The commands that it caused, a JSON array.
  package let commands: [UInt8]

  static let columns = "j.turn, j.sequence, j.kind, j.format, j.time, j.role, j.body, j.commands"
  static let columnCount: Int32 = 8

  /// Reads turn, sequence, kind, format, time, role, body, commands from a column on.
  init(_ row: Statement, from first: Int32 = 0) {
    turn = row.integer(first)
    sequence = row.integer(first + 1)
    kind = row.integer(first + 2)
    format = row.integer(first + 3)
    time = Timestamp(microseconds: row.integer(first + 4))
    role = row.optionalInteger(first + 5).flatMap { Role(rawValue: $0) }
    body = row.bytes(first + 6)
    commands = row.bytes(first + 7)
  }
}

/// A record that is not yet in the journal.
package struct JournalEntry: Sendable {
  package let kind: Int64
  package let format: Int64
  package let time: Timestamp
  package let role: JournalRecord.Role?
  package let body: [UInt8]
  package let commands: [UInt8]

  package init(
    kind: Int64, format: Int64, time: Timestamp, role: JournalRecord.Role?, body: [UInt8], commands: [UInt8]
  ) {
    self.kind = kind
    self.format = format
    self.time = time
    self.role = role
    self.body = body
    self.commands = commands
  }
}
