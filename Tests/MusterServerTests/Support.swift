import MusterHTTP
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterServer

/// A service on a plane of its own, with a key to it.
final class ServiceBench: @unchecked Sendable {
  let plane: ControlPlane
  let service: RESTService
  let key: String
  private let base: String

  init(_ configuration: String = ":memory:") throws {
    base = try ModelServer.shared.get().base
    plane = try ControlPlane(configuration: Array(configuration.utf8), log: .none)
    service = RESTService(plane: plane, settings: RESTSettings(network: .open))
    let made = try JSON.parse(
      try plane.call("keys.create", try Arguments(try JSON.parse(Array(#"{"body":{"name":"test"}}"#.utf8)))))
    key = try #require(made["key"]?.string)
  }

  deinit { plane.close() }

  /// Sends a request with the key.
  func send(
    _ method: String, _ target: String, _ body: String = "", headers: [(name: String, value: String)] = []
  ) -> RESTAnswer {
    answer(method, target, body, headers: [("x-api-key", key)] + headers)
  }

  /// Sends a request as it is.
  func answer(
    _ method: String, _ target: String, _ body: String = "", headers: [(name: String, value: String)] = []
  ) -> RESTAnswer {
    service.answer(
      RESTRequest(method: method, target: Array(target.utf8), headers: headers, body: Array(body.utf8)))
  }

  /// Makes an agent that asks the model server for a model; gives its id.
  func agent(_ model: String = "echo") throws -> String {
    let answer = send(
      "POST", "/v1/agents",
      #"{"name":"A","model_provider":"openai_compatible","model_name":"\#(model)","llm_api_base":"\#(base)"}"#)
    return try #require(answer.json["id"]?.string)
  }
}

extension RESTAnswer {
  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSON { (try? JSON.parse(body)) ?? .null }
  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
