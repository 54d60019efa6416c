/// What one look of `muster doctor` has found.
struct Finding {
  enum State: String {
    case good = "ok"
    /// It works, but somebody should know.
    case warning = "warning"
    case bad = "no"
  }

  let name: String
  let state: State
  let detail: String

  init(_ name: String, _ state: State, _ detail: String) {
    self.name = name
    self.state = state
    self.detail = detail
  }
}
