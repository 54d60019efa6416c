import Foundation
import MusterJSON
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("API keys")
struct KeyTests {
  private func create(_ bench: Bench, _ members: String = "{}") throws -> JSON {
    let body = try json(#"{"name":"k"}"#).setting(try json(members).members.map { ($0.key, $0.value) })
    return try bench.call("keys.create", #"{"body":\#(text(body) ?? "")}"#)
  }

  private func refusal(_ bench: Bench, _ key: String?) throws -> Int32? {
    do throws(Failure) {
      _ = try bench.plane.authenticate(key: key)
      return nil
    } catch {
      #expect(text(error.document) == #"{"detail":"Invalid or missing API key"}"#)
      return error.httpStatus
    }
  }

  @Test("a new key is shown once, and says what it may do")
  func create() throws {
    let bench = try Bench()
    let made = try create(bench)
    #expect(
      made.keys == [
        "id", "key", "name", "organization_id", "agents", "read_only", "can_manage_keys", "created_at", "expires_at",
      ])
    let id = try #require(made["id"]?.string)
    let key = try #require(made["key"]?.string)
    #expect(key.hasPrefix("muster_\(id)_"))
    #expect(key.utf8.count == 88)
    #expect(made["agents"]?.isNull == true && made["expires_at"]?.isNull == true)
    #expect(made["read_only"]?.bool == false && made["can_manage_keys"]?.bool == false)
    let shown = try bench.call("keys.get", #"{"key_id":"\#(id)"}"#)
    #expect(shown.keys == made.keys.filter { $0 != "key" })
    #expect(text(try bench.call("keys.list").at("items/0")) == text(shown))
    let caller = try bench.plane.authenticate(key: key)
    #expect(caller.keyID == id)
    #expect(caller.organizationID == bench.plane.host.organizationID)
  }

  @Test("whoever has no valid key is told so, and no more")
  func authenticate() throws {
    let bench = try Bench()
    let key = try #require(try create(bench)["key"]?.string)
    #expect(try refusal(bench, key) == nil)
    let digits = Array(key)
    var wrong: [String?] = [nil, "", "x", "muster_", String(key.dropLast()), key + "0", " " + key, key.uppercased()]
    for place in [0, 6, 7, 22, 23, 24, 87] {
      var changed = digits
      changed[place] = changed[place] == "0" ? "1" : "0"
      wrong.append(String(changed))
    }
    for text in wrong { #expect(try refusal(bench, text) == 401, "\(text ?? "nil")") }
  }

  @Test("a change acts at once, and null takes a limit away")
  func update() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let made = try create(bench)
    let id = try #require(made["id"]?.string)
    let key = try #require(made["key"]?.string)
    func change(_ body: String) throws -> Caller {
      _ = try bench.call("keys.update", #"{"key_id":"\#(id)","body":\#(body)}"#)
      return try bench.plane.authenticate(key: key)
    }
    #expect(try change(#"{"read_only":true}"#).isReadOnly)
    let limited = try change(#"{"agents":["\#(agent)"],"name":"n"}"#)
    #expect(limited.agents == [agent] && limited.isReadOnly)
    let shown = try bench.call("keys.get", #"{"key_id":"\#(id)"}"#)
    #expect(shown["name"]?.string == "n" && text(shown["agents"]) == #"["\#(agent)"]"#)
    #expect(try change(#"{"agents":null,"read_only":false}"#).agents == nil)
    #expect(try change(#"{"can_manage_keys":true,"name":null}"#).canManageKeys)
    #expect(try bench.call("keys.get", #"{"key_id":"\#(id)"}"#)["name"]?.string == "n")
  }

  @Test("a key ends when it expires, and when it is revoked")
  func end() throws {
    let bench = try Bench()
    let made = try create(bench, #"{"expires_at":"2099-01-02T03:04:05+01:00"}"#)
    #expect(made["expires_at"]?.string == "2099-01-02T02:04:05.000000Z")
    let id = try #require(made["id"]?.string)
    let key = try #require(made["key"]?.string)
    #expect(try refusal(bench, key) == nil)
    let soon = Timestamp(microseconds: Timestamp.now().microseconds + 300_000).iso8601
    _ = try bench.call("keys.update", #"{"key_id":"\#(id)","body":{"expires_at":"\#(soon)"}}"#)
    try awaitTrue("the key expires") { try refusal(bench, key) == 401 }
    _ = try bench.call("keys.update", #"{"key_id":"\#(id)","body":{"expires_at":null}}"#)
    #expect(try refusal(bench, key) == nil)
    #expect(try bench.call("keys.revoke", #"{"key_id":"\#(id)"}"#).isNull)
    #expect(try refusal(bench, key) == 401)
    for operation in ["keys.get", "keys.revoke"] {
      let failure = try bench.failure(operation, #"{"key_id":"\#(id)"}"#)
      #expect(text(failure.document) == #"{"detail":"API key not found"}"#)
    }
    #expect(try bench.call("keys.list")["total"]?.int64 == 0)
  }

  @Test(
    "what is wrong with a key's body is answered 422 with its place",
    arguments: [
      ("{}", #"["body","name"]"#), (#"{"name":""}"#, #"["body","name"]"#),
      (#"{"name":"k","agents":[]}"#, #"["body","agents"]"#),
      (#"{"name":"k","agents":["nobody"]}"#, #"["body","agents",0]"#),
      (#"{"name":"k","read_only":"yes"}"#, #"["body","read_only"]"#),
      (#"{"name":"k","expires_at":"tomorrow"}"#, #"["body","expires_at"]"#),
      (#"{"name":"k","expires_at":"2001-01-01T00:00:00Z"}"#, #"["body","expires_at"]"#),
      (#"{"name":"k","can_manage_keys":true,"read_only":true}"#, #"["body","can_manage_keys"]"#),
    ])
  func wrong(body: String, location: String) throws {
    let bench = try Bench()
    let failure = try bench.failure("keys.create", #"{"body":\#(body)}"#)
    #expect(failure.httpStatus == 422)
    #expect(text(failure.document.at("detail/0/loc")) == location)
    #expect(try bench.call("keys.list")["total"]?.int64 == 0)
  }

  @Test("a key that manages keys is neither limited nor read-only, however it came to be so")
  func managing() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let manager = try #require(try create(bench, #"{"can_manage_keys":true}"#)["id"]?.string)
    let limited = try #require(try create(bench, #"{"agents":["\#(agent)"]}"#)["id"]?.string)
    for (id, body) in [
      (manager, #"{"read_only":true}"#), (manager, #"{"agents":["\#(agent)"]}"#),
      (limited, #"{"can_manage_keys":true}"#),
    ] {
      #expect(try bench.failure("keys.update", #"{"key_id":"\#(id)","body":\#(body)}"#).httpStatus == 422)
    }
    #expect(try bench.failure("keys.update", #"{"key_id":"\#(manager)","body":{}}"#).httpStatus == 422)
    let both = #"{"key_id":"\#(limited)","body":{"agents":null,"can_manage_keys":true}}"#
    #expect(try bench.call("keys.update", both)["can_manage_keys"]?.bool == true)
  }

  @Test("a key of another organization makes that organization; only the host may make one")
  func organizations() throws {
    let bench = try Bench()
    let made = try self.create(bench, #"{"organization_id":"acme","can_manage_keys":true}"#)
    #expect(made["organization_id"]?.string == "acme")
    #expect(try bench.call("keys.list")["total"]?.int64 == 0)
    let manager = try bench.plane.authenticate(key: made["key"]?.string)
    func create(_ members: String) throws(Failure) -> JSON {
      let arguments = try Arguments(JSON.trusted(Array(#"{"body":{"name":"k"\#(members)}}"#.utf8)))
      return JSON.trusted(try bench.plane.call("keys.create", arguments, as: manager))
    }
    #expect(try create("")["organization_id"]?.string == "acme")
    #expect(try create(#","organization_id":"acme""#)["organization_id"]?.string == "acme")
    let refused = #expect(throws: Failure.self) { try create(#","organization_id":"other""#) }
    #expect(refused?.httpStatus == 403)
  }

  @Test("the first key manages keys, and there is one first key")
  func first() throws {
    let path = try StorePath()
    let bench = try Bench(path.path)
    let key = try #require(try bench.plane.makeFirstKey())
    #expect(try bench.plane.authenticate(key: key).canManageKeys)
    #expect(try bench.plane.makeFirstKey() == nil)
    #expect(try Bench(path.path).plane.makeFirstKey() == nil)
    let id = try #require(try bench.call("keys.list").at("items/0/id")?.string)
    _ = try bench.call("keys.revoke", #"{"key_id":"\#(id)"}"#)
    #expect(try bench.plane.makeFirstKey() == nil)
    let acme = try Bench(#"{"store":"\#(path.path)","organization_id":"acme"}"#)
    #expect(try acme.plane.makeFirstKey() != nil)
  }

  @Test("no answer but that of keys.create shows a key; none shows its salt or its hash, no error and no log line")
  func secrets() throws {
    let bench = try KeyBench()
    let manager = try bench.keyText(#"{"can_manage_keys":true}"#)
    let caller = try bench.plane.authenticate(key: manager)
    let keyID = try #require(caller.keyID)
    let row = try #require(try bench.plane.store.key(keyID))
    let secret = try #require(manager.split(separator: "_").last.map(String.init))
    let forbidden = [secret, row.salt, row.hash]
    #expect(forbidden.allSatisfy { $0.utf8.count >= 32 })
    var shown: [String] = []
    for operation in OperationTable.all {
      for arguments in ["{}", coverage(operation, bench)] {
        shown.append(text(try bench.call(operation.name, arguments, as: caller).answer) ?? "")
        shown.append(text(try bench.call(operation.name, arguments, as: bench.plane.host).answer) ?? "")
      }
    }
    let own = #"{"key_id":"\#(row.id)"}"#
    for name in ["keys.get", "keys.list", "keys.revoke", "keys.get"] {
      shown.append(text(try bench.call(name, own, as: caller).answer) ?? "")
    }
    for key in [manager, manager + "0", String(manager.dropLast()) + "x"] {
      do throws(Failure) { _ = try bench.plane.authenticate(key: key) } catch {
        shown += [error.message, text(error.document) ?? ""]
      }
    }
    shown += bench.bench.lines.all
    #expect(shown.count > 80)
    for text in shown { #expect(!forbidden.contains { text.contains($0) }, "\(text)") }
  }

  /// The arguments of an operation that reach its handler.
  private func coverage(_ operation: MusterAPI.Operation, _ bench: KeyBench) -> String {
    switch Coverage.of(operation) {
    case .refused(let arguments), .own(let arguments), .common(let arguments): return bench.filled(arguments)
    default: return "{}"
    }
  }

  @Test("limits are read from two numbers, and nothing else")
  func limits() {
    #expect(RateLimits("100/1000") == .documented)
    #expect(RateLimits("1/1000000000") == RateLimits(perMinute: 1, perHour: 1_000_000_000))
    for text in [
      "", "off", "100", "100/", "/1000", "0/1", "1/0", "-1/5", "1/2/3", "1 /2", "+1/2", "1/1000000001", "1/99999999999",
      "1.5/2", "a/b",
    ] {
      #expect(RateLimits(text) == nil, "\(text)")
    }
  }
}
