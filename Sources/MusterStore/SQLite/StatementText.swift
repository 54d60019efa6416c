/// The text of a statement as a key. Texts are long and few: the length tells them apart well enough, and a text is mostly
/// compared with itself, which takes no look at its bytes.
struct StatementText: Hashable {
  let sql: String

  func hash(into hasher: inout Hasher) { hasher.combine(sql.utf8.count) }
}
