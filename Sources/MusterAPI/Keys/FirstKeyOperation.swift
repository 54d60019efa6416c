import MusterJSON

/// The key with which a store is first served.
enum FirstKeyOperation {
  static let all: [Operation] = [
    Operation(
      "keys.first", "POST", "",
      "Makes the first API key of the store's organization, which manages keys, and shows it, this once; null when there was a key before.",
      answer: "FirstAPIKey", isExtension: true, handler: first)
  ]

  @Sendable private static func first(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let key = try call.plane.makeFirstKey()
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("key", key)
    writer.endObject()
    return .json(writer.bytes)
  }
}
