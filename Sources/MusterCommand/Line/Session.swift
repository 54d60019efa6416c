/// What a command works with: its options and operands, and where the agents are.
struct Session {
  let options: Options
  /// The path of a store, or the base address of a server.
  let target: String

  init(_ options: Options) throws(Failure) {
    self.options = options
    if let store = options["store"] {
      target = store
    } else if let base = try Plane.environment("MUSTER_BASE_URL") {
      guard Session.isAddress(base) else { throw .usage("MUSTER_BASE_URL is not an http or https address") }
      target = base
    } else {
      target = try Plane.environment("MUSTER_STORE") ?? "agents.db"
    }
  }

  /// Whether the agents are behind a server.
  var isRemote: Bool { Session.isAddress(target) }

  private static func isAddress(_ text: String) -> Bool { text.hasPrefix("http://") || text.hasPrefix("https://") }

  var isJSON: Bool { options.has("json") }

  /// An operand that the command's declaration makes sure of.
  func operand(_ index: Int) -> String { index < options.operands.count ? options.operands[index] : "" }

  /// `settings`: further keys of the plane's configuration.
  func open(log: LogSink? = nil, settings: Value? = nil) throws(Failure) -> Plane {
    try Plane(self, log: log, settings: settings)
  }

  /// Prints an answer of the library as it is.
  func printJSON(_ text: String) { Output.text(text + "\n") }
}
