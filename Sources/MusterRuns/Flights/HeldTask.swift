/// A task that a run of this process holds, and the number of the hand that it is in: whoever takes it away gives it a new
/// one.
struct HeldTask: Equatable, Sendable {
  let key: Int64
  let fence: Int64
}
