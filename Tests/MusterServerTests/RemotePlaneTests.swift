import Foundation
import MusterJSON
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterServer

/// A plane with a store, its REST service on a socket, and a plane that is a client of that.
private final class RemoteBench: @unchecked Sendable {
  let local: ControlPlane
  let server: ScriptedServer
  let remote: any Plane
  let key: String
  private let base: String

  init(key given: String? = nil) throws {
    base = try ModelServer.shared.get().base
    let configuration =
      #"{"store":":memory:","default_model":{"provider":"openai_compatible","name":"echo","api_base":"\#(base)"}}"#
    let plane = try ControlPlane(configuration: Array(configuration.utf8), log: .none)
    local = plane
    let made = try NewKey.make(name: "test", organizationID: plane.host.organizationID, canManageKeys: true)
    try plane.store.insertKey(made.row, durable: false)
    key = given ?? made.key.text
    let service = RESTService(plane: plane)
    server = ScriptedServer { request in
      let answer = service.answer(
        RESTRequest(
          method: request.method, target: Array(request.target.utf8), headers: request.headers,
          body: Array(request.body)))
      return .status(
        Int(answer.status), headers: answer.headers.map { ($0.name, $0.value) }, body: Data(answer.body))
    }
    remote = try RemoteBench.open(#"{"store":"\#(server.base)","api_key":"\#(key)"}"#)
  }

  static func open(_ configuration: String) throws -> any Plane {
    try OpenedPlane(configuration: Array(configuration.utf8), log: .none).plane
  }

  deinit {
    remote.close()
    server.stop()
    local.close()
  }

  func call(_ plane: any Plane, _ name: String, _ arguments: String = "{}", milliseconds: Int64 = 20_000) throws -> JSON
  {
    try JSON.parse(
      try plane.call(
        name, try Arguments(try JSON.parse(Array(arguments.utf8))), timeoutMilliseconds: milliseconds))
  }

  func failure(
    _ plane: any Plane, _ name: String, _ arguments: String = "{}", milliseconds: Int64 = 20_000
  ) throws -> Failure? {
    do {
      _ = try call(plane, name, arguments, milliseconds: milliseconds)
      return nil
    } catch let failure as Failure {
      return failure
    }
  }

  func agent(_ model: String) throws -> String {
    let made = try call(local, "agents.create", #"{"body":{"name":"A","model_name":"\#(model)"}}"#)
    return try #require(made["id"]?.string)
  }
}

private func text(_ json: JSON) -> String { String(decoding: json.bytes, as: UTF8.self) }

@Suite("A plane that is a service elsewhere")
struct RemotePlaneTests {
  @Test("agents are made, changed, read, run and removed as with a store of one's own")
  func life() throws {
    let bench = try RemoteBench()
    let made = try bench.call(bench.remote, "agents.create", #"{"body":{"name":"caf\u00e9 \/","x-more":1.50}}"#)
    let id = try #require(made["id"]?.string)
    for name in ["agents.get", "agents.deploy"] {
      let arguments = #"{"agent_id":"\#(id)"}"#
      _ = try bench.call(bench.remote, name, arguments)
      #expect(
        text(try bench.call(bench.remote, "agents.get", arguments))
          == text(try bench.call(bench.local, "agents.get", arguments)))
    }
    let changed = try bench.call(
      bench.remote, "agents.update", #"{"agent_id":"\#(id)","deploy":true,"body":{"name":"B"}}"#)
    #expect(changed["name"]?.string == "B" && changed["has_pending_changes"]?.bool == false)
    let task = try bench.call(
      bench.remote, "agents.invoke", #"{"agent_id":"\#(id)","body":{"id":"a b~c","input":{"text":"hello"}}}"#)
    #expect(task["status"]?.string == "completed")
    for (name, arguments) in [
      ("tasks.get", #"{"task_id":"a b~c"}"#), ("tasks.thread", #"{"task_id":"a b~c"}"#),
      ("tasks.list", #"{"agent_id":"\#(id)","status":"completed","per_page":3}"#), ("agents.list", "{}"),
      ("agents.list_full", #"{"page":1}"#),
    ] {
      #expect(
        text(try bench.call(bench.remote, name, arguments)) == text(try bench.call(bench.local, name, arguments)),
        "\(name)")
    }
    #expect(text(try bench.call(bench.remote, "agents.delete", #"{"agent_id":"\#(id)"}"#)) == "null")
    #expect(try bench.failure(bench.local, "agents.get", #"{"agent_id":"\#(id)"}"#)?.httpStatus == 404)
  }

  @Test("every operation that the service has fails as it does with a store of one's own")
  func failures() throws {
    let bench = try RemoteBench()
    var compared = 0
    for operation in OperationTable.all where !operation.path.isEmpty {
      let path = operation.parameters.filter { $0.location == .path }.map { "\"\($0.name)\":\"no/ne ?\"" }
      let query = operation.parameters.filter { $0.location == .query }.map { "\"\($0.name)\":[]" }
      for members in [path, path + query, path + [#""page":0"#], path + [#""body":{"name":7}"#], query, []] {
        let arguments = "{\(members.joined(separator: ","))}"
        let here = try bench.failure(bench.local, operation.name, arguments)
        let there = try bench.failure(bench.remote, operation.name, arguments)
        #expect(here?.status == there?.status, "\(operation.name) \(arguments)")
        #expect(here?.httpStatus == there?.httpStatus, "\(operation.name) \(arguments)")
        #expect(here?.message == there?.message, "\(operation.name) \(arguments)")
        #expect(here.map { text($0.document) } == there.map { text($0.document) }, "\(operation.name) \(arguments)")
        if here != nil { compared += 1 }
      }
    }
    #expect(compared > 50)
  }

  @Test("an operation that only a store of this machine has is not supported, and an unknown one is unknown")
  func unsupported() throws {
    let bench = try RemoteBench()
    for operation in OperationTable.all where operation.path.isEmpty {
      #expect(try bench.failure(bench.remote, operation.name)?.status == .unsupported)
    }
    #expect(try bench.failure(bench.remote, "agents.none")?.status == .unknownOperation)
    #expect(bench.server.requests.isEmpty)
  }

  @Test("a wrong key is a 401 with the service's own words")
  func wrongKey() throws {
    let bench = try RemoteBench(key: "wrong")
    let failure = try #require(try bench.failure(bench.remote, "agents.list"))
    #expect(failure.status == .api && failure.httpStatus == 401)
    #expect(text(failure.document) == #"{"detail":"Invalid or missing API key"}"#)
  }

  @Test("an idempotency key goes along")
  func idempotency() throws {
    let bench = try RemoteBench()
    var arguments = try Arguments(try JSON.parse(Array(#"{"body":{"name":"A"}}"#.utf8)))
    arguments.idempotencyKey = "once"
    _ = try bench.remote.call("agents.create", arguments, timeoutMilliseconds: 0)
    #expect(bench.server.requests.last?.header("idempotency-key") == "once")
    for plane in [bench.local as any Plane, bench.remote] {
      let refused = try bench.failure(plane, "agents.list", #"{"context":{"idempotency_key":"once"}}"#)
      #expect(refused?.status == .misuse && refused?.message == "agents.list takes no idempotency key")
    }
    // The first answer, and not a second agent.
    let repeated = #"{"body":{"name":"A"},"context":{"idempotency_key":"twice"}}"#
    let first = try bench.call(bench.remote, "agents.create", repeated)
    #expect(text(first) == text(try bench.call(bench.remote, "agents.create", repeated)))
    #expect(try bench.call(bench.local, "agents.list")["total"]?.int64 == 2)
  }

  @Test("a ticket cancels its call before and during it, the end of the time ends it, and closing the plane as well")
  func ends() throws {
    let bench = try RemoteBench()
    let agent = try bench.agent("hang")
    let early = bench.remote.makeTicket()
    bench.remote.cancel(early)
    #expect(try bench.failure(bench.remote, "agents.list", #"{"context":{"ticket":\#(early)}}"#)?.status == .cancelled)
    #expect(try bench.failure(bench.remote, "agents.list", #"{"context":{"ticket":\#(early)}}"#)?.status == .misuse)

    func invocation(_ context: String = "") -> String {
      #"{"agent_id":"\#(agent)","body":{"input":{"text":"x"}}\#(context)}"#
    }
    let ticket = bench.remote.makeTicket()
    let start = Date()
    Thread.detachNewThread {
      usleep(200_000)
      bench.remote.cancel(ticket)
    }
    let cancelled = try bench.failure(bench.remote, "agents.invoke", invocation(#","context":{"ticket":\#(ticket)}"#))
    #expect(cancelled?.status == .cancelled)
    let late = try bench.failure(bench.remote, "agents.invoke", invocation(), milliseconds: 200)
    #expect(late?.status == .timeout && late?.httpStatus == 504)
    Thread.detachNewThread {
      usleep(200_000)
      bench.remote.close()
    }
    #expect(try bench.failure(bench.remote, "agents.invoke", invocation())?.status == .closed)
    #expect(Date().timeIntervalSince(start) < 5)
    #expect(try bench.failure(bench.remote, "agents.list")?.status == .closed)
    // Their runs go on; the plane behind the service ends them.
    bench.local.close()
  }

  @Test("a service that is not there is a failure of the network that may be retried")
  func absent() throws {
    let server = ScriptedServer { _ in .close }
    server.stop()
    usleep(50_000)
    let plane = try RemoteBench.open(server.base)
    do {
      _ = try plane.call("agents.list", Arguments(), timeoutMilliseconds: 5_000)
      Issue.record("it answered")
    } catch {
      #expect(error.status == .network && error.httpStatus == 502 && error.isRetryable)
    }
    plane.close()
  }

  @Test(
    "what does nothing for a service elsewhere is refused by name",
    arguments: [
      #""organization_id":"o""#, #""user_id":"u""#, #""durability":"full""#, #""busy_timeout_ms":1"#,
      #""default_model":{}"#, #""network":"open""#,
    ])
  func keys(member: String) throws {
    do {
      _ = try RemoteBench.open(#"{\#(member),"store":"https://muster.example"}"#)
      Issue.record("it was taken")
    } catch let failure as Failure {
      #expect(failure.status == .unsupported)
      #expect(failure.message.contains(member.split(separator: "\"")[0]))
    }
  }

  @Test("addresses and keys that cannot be are a misuse of the configuration")
  func misuse() throws {
    for configuration in [
      "https://", "http://a b/", "https://host?x", "https://u:p@host", #"{"store":"https://host","api_key":"a b"}"#,
      #"{"store":"https://host","api_key":""}"#,
    ] {
      do {
        _ = try RemoteBench.open(configuration)
        Issue.record("\(configuration) was taken")
      } catch let failure as Failure {
        #expect(failure.status == .misuse && failure.message.hasPrefix("config: "), "\(configuration)")
      }
    }
    for configuration in [
      "https://host/base", "HTTP://127.0.0.1:1", #"{"store":"https://h","limits":{"call_timeout_ms":5}}"#,
    ] {
      try RemoteBench.open(configuration).close()
    }
  }
}
