/// `muster call OPERATION [JSON]`.
enum CallCommand {
  static let command = Command(
    "call", "Call any operation with a JSON object of arguments, and print its answer.",
    operands: [.init("OPERATION"), .init("JSON", isOptional: true)], run: run)

  @Sendable private static func run(_ session: Session) throws(Failure) -> Int32 {
    let arguments = session.options.operands.count > 1 ? session.operand(1) : "{}"
    let plane = try session.open()
    do throws(Plane.CallFailure) {
      Output.text(try plane.call(session.operand(0), arguments) + "\n")
    } catch {
      throw error.failure
    }
    return ExitCode.success
  }
}
