import MusterEngine
import MusterHTTP
import MusterJSON
import MusterRuns

/// What `muster_open` is told.
struct PlaneConfiguration: Sendable {
  var store = ""
  var organizationID: String?
  var userID: String?
  var isDurable = true
  var busyTimeoutMilliseconds: Int64 = 5_000
  var defaultProvider = "openai"
  var defaultModel = "gpt-4.1"
  var defaultBase: String?
  /// Nil when it is not said: then the host is not restricted, and API callers are.
  var network: NetworkPolicy?
  var callTimeoutMilliseconds: Int64 = 600_000
  /// Of a run that no caller waits for.
  var runTimeoutMilliseconds: Int64 = 3_600_000
  /// How many such runs may be under way, and how many threads drive them.
  var runs: Int64 = 20_000
  var threads: Int64 = 8
  /// How many calls may wait in one queue.
  var queueDepth: Int64 = 65_536
  /// Whether agents have all tools of the host, and not those alone that they list.
  var offersAllTools = false
  /// What a turn may use up whose caller says nothing.
  var runLimits = Limits()
  /// How many calls of one answer of a model are made at a time.
  var parallelToolCalls: Int64 = 8
  var prices: [ModelPrice] = []
  /// Of a store elsewhere.
  var apiKey: String?

  /// Reads a path, ":memory:", or a JSON object.
  init(_ text: [UInt8]) throws(Failure) {
    let first = text.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
    if first == UInt8(ascii: "{") {
      let object: JSON
      do throws(JSONError) {
        object = try JSON.parse(text)
      } catch {
        throw Failure(error, in: "config")
      }
      for member in object.members { try set(member.key, member.value) }
      try checkKeys(object)
    } else {
      store = String(decoding: text, as: UTF8.self)
    }
    if store.isEmpty { throw Failure(.misuse, "config: store is required") }
    if hasScheme, !isRemote {
      throw Failure(
        .unsupported, "config: this version has stores in files, in :memory:, and behind http:// and https://")
    }
  }

  /// Whether the store is a service elsewhere.
  var isRemote: Bool {
    HTTPText.hasPrefixIgnoringCase(store, "http://") || HTTPText.hasPrefixIgnoringCase(store, "https://")
  }

  /// Refuses keys that say nothing about the kind of store that it is.
  private func checkKeys(_ object: JSON) throws(Failure) {
    for member in object.members {
      switch member.key {
      case "store": continue
      case "limits":
        for limit in member.value.members where isRemote && limit.key != "call_timeout_ms" {
          throw Failure(
            .unsupported, "config: limits.\(limit.key) does nothing for a store behind http:// or https://")
        }
      case "api_key":
        if !isRemote { throw Failure(.unsupported, "config: api_key is for stores behind http:// and https://") }
      default:
        if isRemote {
          throw Failure(.unsupported, "config: \(member.key) does nothing for a store behind http:// or https://")
        }
      }
    }
  }

  /// A scheme is letters before "://"; any other path with a colon is a path.
  private var hasScheme: Bool {
    let isLetter = { (byte: UInt8) in (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") }
    let rest = store.utf8.drop(while: isLetter)
    return rest.count < store.utf8.count && rest.starts(with: "://".utf8)
  }

  private mutating func set(_ key: String, _ value: JSON) throws(Failure) {
    switch key {
    case "store": store = try text(key, value, maximum: 4096)
    case "organization_id": organizationID = try text(key, value, maximum: 255)
    case "user_id": userID = try text(key, value, maximum: 255)
    case "durability":
      switch value.string {
      case "full": isDurable = true
      case "normal": isDurable = false
      default: throw wrong(key, "must be \"full\" or \"normal\"")
      }
    case "busy_timeout_ms": busyTimeoutMilliseconds = try integer(key, value, 0...600_000)
    case "default_model": try setDefaultModel(value)
    case "network": network = try policy(key, value)
    case "limits":
      guard value.kind == .object else { throw wrong(key, "must be an object") }
      for member in value.members {
        let key = "limits.\(member.key)"
        switch member.key {
        case "call_timeout_ms": callTimeoutMilliseconds = try integer(key, member.value, 1...86_400_000)
        case "run_timeout_ms": runTimeoutMilliseconds = try integer(key, member.value, 1...604_800_000)
        case "runs": runs = try integer(key, member.value, 1...1_000_000)
        case "queue_depth": queueDepth = try integer(key, member.value, 1...1_000_000)
        case "parallel_tool_calls": parallelToolCalls = try integer(key, member.value, 1...64)
        case "model_calls": runLimits.modelCalls = try integer(key, member.value, 1...Int64.max)
        case "tool_calls": runLimits.toolCalls = try integer(key, member.value, 0...Int64.max)
        case "input_tokens": runLimits.inputTokens = try integer(key, member.value, 1...Int64.max)
        case "output_tokens": runLimits.outputTokens = try integer(key, member.value, 1...Int64.max)
        case "seconds": runLimits.seconds = try integer(key, member.value, 1...Int64.max)
        case "depth": runLimits.depth = try integer(key, member.value, 0...1000)
        case "cost": runLimits.cost = try dollars(key, member.value)
        default: throw wrong(key, "is not a known key")
        }
      }
    case "prices":
      guard value.kind == .object else { throw wrong(key, "must be an object") }
      for member in value.members { prices.append(try price(member.key, member.value)) }
    case "api_key": apiKey = try text(key, value, maximum: 4096)
    case "tools":
      switch value.string {
      case "listed": offersAllTools = false
      case "all": offersAllTools = true
      default: throw wrong(key, "must be \"listed\" or \"all\"")
      }
    case "threads": threads = try integer(key, value, 1...64)
    case "workspace_root", "secrets_key":
      throw Failure(.unsupported, "config: \(key) does nothing in this version")
    default: throw wrong(key, "is not a known key")
    }
  }

  private mutating func setDefaultModel(_ value: JSON) throws(Failure) {
    guard value.kind == .object else { throw wrong("default_model", "must be an object") }
    for member in value.members {
      let key = "default_model.\(member.key)"
      switch member.key {
      case "provider":
        let provider = try text(key, member.value, maximum: 255)
        guard AgentSchemas.providers.contains(provider) else { throw wrong(key, "is not a known provider") }
        defaultProvider = provider
      case "name": defaultModel = try text(key, member.value, maximum: 255)
      case "api_base": defaultBase = member.value.isNull ? nil : try text(key, member.value, maximum: 4096)
      default: throw wrong(key, "is not a known key")
      }
    }
  }

  private func policy(_ key: String, _ value: JSON) throws(Failure) -> NetworkPolicy {
    if value.isString("open") { return .open }
    if value.isString("public") { return .public }
    guard value.kind == .array else { throw wrong(key, "must be \"open\", \"public\", or an array of what is allowed") }
    var entries: [String] = []
    for element in value.elements { entries.append(try text(key, element, maximum: 512)) }
    do throws(NetworkPolicy.UnknownEntry) {
      return try NetworkPolicy(allowing: entries)
    } catch {
      throw wrong(key, "has an entry that is neither loopback, private nor HOST[:PORT]: \(error.entry)")
    }
  }

  /// What a million tokens of a model cost.
  private func price(_ model: String, _ value: JSON) throws(Failure) -> ModelPrice {
    let key = "prices.\(model)"
    guard value.kind == .object else { throw wrong(key, "must be an object with input and output") }
    var input: Int64?
    var output: Int64?
    for member in value.members {
      switch member.key {
      case "input": input = try dollars("\(key).input", member.value) / 1_000_000
      case "output": output = try dollars("\(key).output", member.value) / 1_000_000
      default: throw wrong("\(key).\(member.key)", "is not a known key")
      }
    }
    guard let input, let output else { throw wrong(key, "must have input and output") }
    return ModelPrice(model: model, price: Price(input: input, output: output))
  }

  private func dollars(_ key: String, _ value: JSON) throws(Failure) -> Int64 {
    guard let amount = value.double.flatMap({ Price.picodollars($0) }) else {
      throw wrong(key, "must be US dollars, from 0 to 1000000")
    }
    return amount
  }

  private func wrong(_ key: String, _ problem: String) -> Failure { Failure(.misuse, "config: \(key) \(problem)") }

  private func text(_ key: String, _ value: JSON, maximum: Int) throws(Failure) -> String {
    guard let bytes = value.utf8, !bytes.isEmpty, bytes.count <= maximum else {
      throw wrong(key, "must be a text of 1 to \(maximum) bytes")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func integer(_ key: String, _ value: JSON, _ range: ClosedRange<Int64>) throws(Failure) -> Int64 {
    guard let number = value.int64, range.contains(number) else {
      throw wrong(key, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
