/// Facts about the engine itself.
package enum Engine {
  /// The version that a turn is pinned to when it begins. A newer engine folds an older turn as that version meant it.
  package static let version: Int64 = 2
  /// The version of the form in which events and commands are written.
  package static let recordFormat: Int64 = 1
}

/// A record that cannot be read: it is damaged, or of a newer version.
package struct UnreadableRecord: Error, Equatable {
  package let what: String
}
