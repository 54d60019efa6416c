import MusterJSON
import MusterStore
import MusterSystem

/// The operations on API keys, which the documented service does not have.
enum KeyOperations {
  private static let keyID = Operation.Parameter(
    "key_id", .path, "The key's id, which is its public part.", #"{"type":"string","minLength":1}"#)

  static let all: [Operation] = [
    Operation(
      "keys.list", "GET", "/v1/keys", "Lists API keys, newest first.", parameters: Operation.Parameter.paging,
      answer: "APIKeyPage", access: .manageKeys, isExtension: true, handler: list),
    Operation(
      "keys.get", "GET", "/v1/keys/{key_id}", "Gives what an API key may do.", parameters: [keyID], answer: "APIKey",
      access: .manageKeys, isExtension: true, handler: get),
    Operation(
      "keys.create", "POST", "/v1/keys", "Makes an API key and shows it, this once.",
      body: .init("CreateAPIKey", example: #"{"name":"reporting","read_only":true}"#),
      answer: "CreatedAPIKey", success: 201, access: .manageKeys, isExtension: true, failures: [400],
      repetition: .refused, handler: create),
    Operation(
      "keys.update", "PATCH", "/v1/keys/{key_id}", "Changes what an API key may do, at once.", parameters: [keyID],
      body: .init("UpdateAPIKey", example: #"{"name":"reporting, until June","expires_at":"2027-06-01T00:00:00Z"}"#),
      answer: "APIKey", access: .manageKeys, isExtension: true, handler: update),
    Operation(
      "keys.revoke", "DELETE", "/v1/keys/{key_id}", "Revokes an API key at once and for good.", parameters: [keyID],
      answer: nil, success: 204, access: .manageKeys, isExtension: true, handler: revoke),
  ]

  private static let missing = Failure.api(404, "API key not found")
  private static let foreign = Failure.api(403, "API key belongs to another organization")
  private static let contradictory = Failure.validation(
    [.key("body"), .key("can_manage_keys")], "a key that manages keys is neither limited to agents nor read-only",
    type: "value_error.can_manage_keys")

  private static func found(_ lookup: Lookup<KeyRow>) throws(Failure) -> KeyRow {
    switch lookup {
    case .found(let row): return row
    case .foreign: throw foreign
    case .missing: throw missing
    }
  }

  @Sendable private static func list(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let page = try call.store { () throws(StoreError) in
      try call.plane.store.keys(PageRequest(page: call.page, perPage: call.perPage), in: call.organizationID)
    }
    return .json(
      PageDocument.make(
        items: page.rows.map { KeyDocument.make($0) }, total: page.total, page: call.page, perPage: call.perPage))
  }

  @Sendable private static func get(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let lookup = try call.store { () throws(StoreError) in
      try call.plane.store.key(call.string("key_id") ?? "", in: call.organizationID)
    }
    return .json(KeyDocument.make(try found(lookup)))
  }

  @Sendable private static func create(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let organization = call.body["organization_id"]?.string ?? call.organizationID
    if organization != call.organizationID, call.caller.keyID != nil {
      throw .api(403, "only the host itself can make keys of another organization")
    }
    let agents = try agents(call.body, in: organization, call)
    let isReadOnly = call.body["read_only"]?.bool ?? false
    let canManageKeys = call.body["can_manage_keys"]?.bool ?? false
    if canManageKeys, isReadOnly || agents != nil { throw contradictory }
    let (key, row) = try NewKey.make(
      name: call.body["name"]?.string ?? "", organizationID: organization, agents: agents, isReadOnly: isReadOnly,
      canManageKeys: canManageKeys, expiresAt: try expiry(call.body))
    try call.store { () throws(StoreError) in
      try call.plane.store.insertKey(row, durable: call.plane.configuration.isDurable)
    }
    return .json(KeyDocument.make(row, key: key))
  }

  @Sendable private static func update(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    var change = KeyChange()
    change.name = call.body["name"]?.string
    change.isReadOnly = call.body["read_only"]?.bool
    change.canManageKeys = call.body["can_manage_keys"]?.bool
    if call.body["agents"] != nil { change.agents = .some(try agents(call.body, in: call.organizationID, call)) }
    if call.body["expires_at"] != nil { change.expiresAt = .some(try expiry(call.body)) }
    if change.isEmpty {
      throw .validation([.key("body")], "at least one field is required", type: "value_error.missing")
    }
    let wanted = change
    let updated = try call.store { () throws(StoreError) in
      try call.plane.store.updateKey(
        call.string("key_id") ?? "", in: call.organizationID, wanted, durable: call.plane.configuration.isDurable)
    }
    switch updated {
    case .changed(let row): return .json(KeyDocument.make(row))
    case .missing: throw missing
    case .foreign: throw foreign
    case .contradictory: throw contradictory
    }
  }

  @Sendable private static func revoke(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let lookup = try call.store { () throws(StoreError) in
      try call.plane.store.revokeKey(
        call.string("key_id") ?? "", in: call.organizationID, durable: call.plane.configuration.isDurable)
    }
    _ = try found(lookup)
    return .none
  }

  // MARK: - Bodies

  /// The agents that a body limits a key to, each of which must be there; nil when it does not.
  private static func agents(_ body: JSON, in organization: String, _ call: OperationCall) throws(Failure) -> [String]?
  {
    guard let list = body["agents"], list.kind == .array else { return nil }
    var ids: [String] = []
    var problems: [Failure.Problem] = []
    for (index, element) in list.elements.enumerated() {
      let id = element.string ?? ""
      let lookup = try call.store { () throws(StoreError) in
        try call.plane.store.agentDocument(id, in: organization)
      }
      if case .found = lookup {
        if !ids.contains(id) { ids.append(id) }
      } else {
        problems.append(
          .init(
            location: [.key("body"), .key("agents"), .index(index)], message: "the organization has no such agent",
            type: "value_error.agent"))
      }
    }
    if !problems.isEmpty { throw .validation(problems) }
    return ids
  }

  /// When a key ends, which must be a time to come; nil: never.
  private static func expiry(_ body: JSON) throws(Failure) -> Timestamp? {
    guard let text = body["expires_at"]?.string else { return nil }
    let location: [JSONPathElement] = [.key("body"), .key("expires_at")]
    guard let time = Timestamp(iso8601: text) else {
      throw .validation(location, "invalid datetime format", type: "value_error.datetime")
    }
    guard Timestamp.now() < time else {
      throw .validation(location, "ensure this value is in the future", type: "value_error.datetime.past")
    }
    return time
  }
}
