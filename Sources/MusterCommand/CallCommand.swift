/// `muster call OPERATION [JSON]`.
enum CallCommand {
  static func run(_ options: Options, store: String) throws(Failure) -> Int32 {
    guard let operation = options.operands.first else { throw .usage("call needs an operation") }
    let plane = try Plane(store: store)
    do throws(Plane.CallFailure) {
      Output.text(try plane.call(operation, options.operands.dropFirst().first ?? "{}") + "\n")
    } catch {
      throw error.failure
    }
    return ExitCode.success
  }
}
