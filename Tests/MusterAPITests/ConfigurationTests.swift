import MusterHTTP
import MusterJSON
import MusterSystem
import Testing

@testable import MusterAPI

@Suite("The configuration of a plane")
struct ConfigurationTests {
  private func read(_ text: String) throws -> PlaneConfiguration { try PlaneConfiguration(Array(text.utf8)) }

  private func refusal(_ text: String) -> Failure? {
    do throws(Failure) {
      _ = try PlaneConfiguration(Array(text.utf8))
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "a text that is no object is the path of the store",
    arguments: ["agents.db", ":memory:", "/a b/c:d.db", "./x://y", "c:/x"])
  func path(path: String) throws {
    let configuration = try read(path)
    #expect(configuration.store == path)
    #expect(configuration.isDurable)
    #expect(configuration.busyTimeoutMilliseconds == 5_000)
    #expect(configuration.callTimeoutMilliseconds == 600_000)
    #expect(configuration.defaultProvider == "openai")
    #expect(configuration.defaultModel == "gpt-4.1")
    #expect(configuration.defaultBase == nil && configuration.organizationID == nil && configuration.userID == nil)
  }

  @Test("every key that is served is taken")
  func keys() throws {
    let configuration = try read(
      """
       \n{"store":"a.db","organization_id":"o","user_id":"u","durability":"normal","busy_timeout_ms":0,"network":"open",
      "default_model":{"provider":"openai_compatible","name":"m","api_base":"http://h/v1"},"limits":{"call_timeout_ms":1}}
      """)
    #expect(configuration.store == "a.db")
    #expect(configuration.organizationID == "o")
    #expect(configuration.userID == "u")
    #expect(!configuration.isDurable)
    #expect(configuration.busyTimeoutMilliseconds == 0)
    #expect(configuration.defaultProvider == "openai_compatible")
    #expect(configuration.defaultModel == "m")
    #expect(configuration.defaultBase == "http://h/v1")
    #expect(configuration.callTimeoutMilliseconds == 1)
    #expect(configuration.network == .open)
  }

  @Test("network says which addresses of models may be asked; without it the host is free, and API callers are not")
  func network() throws {
    #expect(try read(#"{"store":"x"}"#).network == nil)
    #expect(try read(#"{"store":"x","network":"public"}"#).network == .public)
    #expect(try read(#"{"store":"x","network":[]}"#).network == .public)
    #expect(
      try read(#"{"store":"x","network":["loopback","h:80"]}"#).network
        == (try NetworkPolicy(allowing: ["loopback", "h:80"])))
    func plane(_ member: String) throws -> ControlPlane {
      try ControlPlane(configuration: Array(#"{"store":":memory:"\#(member)}"#.utf8), log: .none)
    }
    let silent = try plane("")
    #expect(silent.host.network == .open && silent.networkOfCallers == .public)
    silent.close()
    let told = try plane(#","network":["private"]"#)
    #expect(try told.host.network == NetworkPolicy(allowing: ["private"]) && told.networkOfCallers == told.host.network)
    told.close()
  }

  @Test(
    "the ends of each range are in it",
    arguments: [
      #""busy_timeout_ms":600000"#, #""limits":{"call_timeout_ms":86400000}"#, #""limits":{}"#,
      #""limits":{"model_calls":5,"tool_calls":0,"seconds":1,"depth":0,"cost":0.5,"parallel_tool_calls":64}"#,
      #""prices":{"m":{"input":2.5,"output":10}}"#, #""default_model":{}"#,
      #""default_model":{"api_base":null}"#, #""durability":"full""#,
    ])
  func inRange(member: String) {
    #expect(refusal(#"{"store":"x",\#(member)}"#) == nil)
  }

  @Test(
    "a value out of its range or of another type is a misuse that names its key",
    arguments: [
      ("store", #""store":"""#), ("store", #""store":5"#), ("store", #""store":null"#),
      ("organization_id", #""organization_id":"""#), ("organization_id", #""organization_id":null"#),
      ("user_id", #""user_id":[]"#), ("durability", #""durability":"most""#), ("durability", #""durability":true"#),
      ("busy_timeout_ms", #""busy_timeout_ms":-1"#), ("busy_timeout_ms", #""busy_timeout_ms":600001"#),
      ("busy_timeout_ms", #""busy_timeout_ms":1.0"#), ("busy_timeout_ms", #""busy_timeout_ms":"1""#),
      ("default_model", #""default_model":"m""#), ("default_model.provider", #""default_model":{"provider":"x"}"#),
      ("default_model.name", #""default_model":{"name":""}"#),
      ("default_model.api_base", #""default_model":{"api_base":1}"#),
      ("default_model.extra", #""default_model":{"extra":1}"#), ("limits", #""limits":[]"#),
      ("limits.call_timeout_ms", #""limits":{"call_timeout_ms":0}"#),
      ("limits.call_timeout_ms", #""limits":{"call_timeout_ms":86400001}"#), ("limits.more", #""limits":{"more":1}"#),
      ("limits.model_calls", #""limits":{"model_calls":0}"#),
      ("limits.parallel_tool_calls", #""limits":{"parallel_tool_calls":0}"#),
      ("limits.parallel_tool_calls", #""limits":{"parallel_tool_calls":65}"#),
      ("limits.cost", #""limits":{"cost":-1}"#),
      ("limits.cost", #""limits":{"cost":"1"}"#), ("prices", #""prices":[]"#),
      ("prices.m", #""prices":{"m":{"input":1}}"#),
      ("prices.m.more", #""prices":{"m":{"input":1,"output":1,"more":1}}"#),
      ("prices.m.input", #""prices":{"m":{"input":1e300,"output":1}}"#),
      ("network", #""network":"closed""#), ("network", #""network":null"#), ("network", #""network":{}"#),
      ("network", #""network":["a b"]"#), ("network", #""network":["public"]"#), ("network", #""network":["h",7]"#),
      ("colour", #""colour":"red""#),
    ])
  func misuse(key: String, member: String) throws {
    let failure = try #require(refusal(#"{"store":"x",\#(member)}"#))
    #expect(failure.status == .misuse)
    #expect(failure.message.hasPrefix("config: \(key) "))
  }

  @Test("texts end at 255 bytes, counted as bytes")
  func longTexts() {
    #expect(refusal(#"{"store":"x","user_id":"\#(String(repeating: "u", count: 255))"}"#) == nil)
    #expect(refusal(#"{"store":"x","user_id":"\#(String(repeating: "\u{e9}", count: 128))"}"#)?.status == .misuse)
  }

  @Test(
    "what this version cannot do is said so, and not ignored",
    arguments: [
      #"{"store":"x","api_key":"k"}"#, #"{"store":"x","workspace_root":"/w"}"#, #"{"store":"x","secrets_key":"k"}"#,
      "postgres://host/db", "ftp://host", #"{"store":"https://host","threads":4}"#,
      #"{"store":"https://host","limits":{"model_calls":1}}"#,
    ])
  func unsupported(configuration: String) {
    #expect(refusal(configuration)?.status == .unsupported)
  }

  @Test("a store is required, and the object has to be JSON")
  func broken() {
    #expect(refusal("")?.status == .misuse)
    #expect(refusal("{}")?.status == .misuse)
    #expect(refusal("{\"store\":")?.status == .json)
    #expect(refusal("{\"store\":\"x\"} y")?.status == .json)
  }

  @Test("a message is one line, whatever is in a key")
  func oneLine() throws {
    let failure = try #require(refusal(#"{"store":"x","a\nb\u001bc":1}"#))
    #expect(!failure.message.utf8.contains { $0 < 0x20 })
  }
}
