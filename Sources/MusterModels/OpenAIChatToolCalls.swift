import MusterJSON

/// Puts the tool calls of an answer together, and what else goes back to the model with them.
///
/// Servers differ in how they stream calls. OpenAI numbers them, names each in its first piece and sends the arguments
/// piece by piece. Others send whole calls, number all of them 0 or none of them, repeat names and ids, or cut names.
struct OpenAIChatToolCalls {
  fileprivate struct Call {
    /// The number that its pieces have.
    let index: Int64?
    var id: String
    var name: String
    /// A string's lexeme without its quotes.
    var arguments: [UInt8] = []
    /// Whether its arguments came as a value, and so as a whole.
    var isWhole = false
    var opaque = OpenAIChatOpaque()
  }

  private var calls: [Call] = []
  private var message = OpenAIChatOpaque()
  private var isTooMany = false
  /// The bytes that are left for arguments, and for all else that is kept.
  private var argumentRoom = OpenAIChatToolCalls.byteLimit
  private var room = OpenAIChatToolCalls.byteLimit

  private static let countLimit = 1_024
  private static let byteLimit = 8_388_608

  var isEmpty: Bool { calls.isEmpty }

  // MARK: - Reading

  /// Takes the `tool_calls` of a message or of a piece of one.
  ///
  /// - Parameter isWhole: each element is a call, not a piece of one.
  mutating func add(_ elements: JSON, isWhole: Bool) {
    for element in elements.elements where element.kind == .object { add(element, isWhole) }
  }

  /// Takes another member of a message.
  ///
  /// - Returns: whether it would make a difference to add the same again.
  mutating func add(memberOf walk: JSONMemberWalk) -> Bool {
    if walk.isKey("content") || walk.isKey("role") || walk.isKey("refusal") || walk.isKey("function_call") {
      return false
    }
    return message.add(walk.lexeme, walk.value, &room)
  }

  private mutating func add(_ element: JSON, _ isWhole: Bool) {
    let index = isWhole ? nil : element["index"]?.int64
    let id = element["id"]?.string ?? ""
    let function = element["function"]
    let name = function?["name"]?.string ?? ""
    let place: Int
    if !isWhole, let found = calls.lastIndex(where: { index == nil || $0.index == index }),
      !calls[found].isFollowed(by: id, name, isNumbered: index != nil)
    {
      place = found
      if calls[place].id.isEmpty, OpenAIChatOpaque.take(id.utf8.count, from: &room) { calls[place].id = id }
      // Some servers repeat it.
      if name != calls[place].name, OpenAIChatOpaque.take(name.utf8.count, from: &room) { calls[place].add(name: name) }
    } else {
      guard calls.count < OpenAIChatToolCalls.countLimit else { return isTooMany = true }
      // The first is kept in any case, so that it is known that there are calls.
      guard OpenAIChatOpaque.take(id.utf8.count &+ name.utf8.count, from: &room) || calls.isEmpty else { return }
      place = calls.count
      calls.append(Call(index: index, id: id, name: name))
    }
    if let arguments = function?.present("arguments") { add(arguments, at: place) }
    var walk = JSONMemberWalk(element)
    while walk.next() {
      if walk.isKey("id") || walk.isKey("type") || walk.isKey("index") || walk.isKey("function") { continue }
      _ = calls[place].opaque.add(walk.lexeme, walk.value, &room)
    }
  }

  private mutating func add(_ arguments: JSON, at place: Int) {
    var lexeme = arguments
    if arguments.kind != .string {
      // As gateways to Ollama's own interface give them.
      calls[place].isWhole = true
      var writer = JSONWriter(capacity: arguments.bytes.count &* 2)
      writer.value(utf8: Array(arguments.bytes))
      lexeme = writer.json
    }
    let text = lexeme.bytes.dropFirst().dropLast()
    if OpenAIChatOpaque.take(text.count, from: &argumentRoom) { calls[place].arguments.append(contentsOf: text) }
  }

  // MARK: - The result

  /// What is wrong with the calls, if there are any; nil when nothing is.
  func problem(_ finishReason: String?) -> String? {
    if isTooMany { return "the answer has more than \(OpenAIChatToolCalls.countLimit) tool calls" }
    if argumentRoom < 0 || room < 0 {
      return "the tool calls of the answer are longer than \(OpenAIChatToolCalls.byteLimit) bytes"
    }
    if finishReason == "length" {
      return "the answer is cut off: its length was used up in the middle of a tool call"
    }
    return calls.contains { $0.name.isEmpty } ? "the answer has a tool call without a name" : nil
  }

  /// Why an answer that asks for tools cannot be used when no call was read.
  static func unread(_ request: ModelRequest) -> String {
    request.tools.isEmpty
      ? "the model asks for tools, and none were offered" : "the answer has tool calls that cannot be read"
  }

  /// The calls, in order.
  var result: [ModelToolCall] {
    var found: [ModelToolCall] = []
    for (place, call) in calls.enumerated() {
      var id = call.id
      if id.isEmpty || found.contains(where: { $0.id == id }) {
        id = "call_\(place)"
        while calls.contains(where: { $0.id == id }) || found.contains(where: { $0.id == id }) { id += "_" }
      }
      found.append(
        ModelToolCall(
          id: id, name: call.name, arguments: OpenAIChatOpaque.string(call.arguments),
          opaque: call.opaque.json))
    }
    return found
  }

  /// What else goes back; nothing without calls.
  var opaque: JSON? { calls.isEmpty ? nil : message.json }
}

extension OpenAIChatToolCalls.Call {
  /// Whether a piece belongs to another call, although it may have the number of this one.
  fileprivate func isFollowed(by id: String, _ name: String, isNumbered: Bool) -> Bool {
    // Where an id comes with each piece and is made anew for it the name comes once.
    if !id.isEmpty, id != self.id { return !isNumbered || !name.isEmpty && !self.id.isEmpty }
    guard id.isEmpty, !name.isEmpty, !self.name.isEmpty else { return false }
    return !isNumbered || isWhole || !arguments.isEmpty && name != self.name
  }

  /// Takes a piece of the name: few servers cut it, and some say more of it each time.
  fileprivate mutating func add(name piece: String) {
    if piece.utf8.starts(with: name.utf8) { name = piece } else { name += piece }
  }
}
