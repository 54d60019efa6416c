import Foundation
import MusterJSON
import Testing

@Suite("Schema bounds")
struct JSONSchemaBoundsTests {
  /// Runs `body` on a thread with the smallest stack that hosts are known to give.
  private func onSmallStack(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      body()
      done.signal()
    }
    thread.stackSize = 256 * 1024
    thread.start()
    done.wait()
  }

  private func nested(_ depth: Int, _ open: String, _ inner: String, _ close: String) -> String {
    String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
  }

  @Test("the deepest values and recursive schemas need no depth of the stack")
  func smallStack() throws {
    let recursive = try schema(
      ##"""
      {"$ref":"#/$defs/node","$defs":{"node":{"allOf":[{"anyOf":[{"$ref":"#/$defs/list"},{"$ref":"#/$defs/map"},
       {"type":"integer"}]}]},"list":{"type":"array","uniqueItems":true,"items":{"$ref":"#/$defs/node"}},
       "map":{"if":{"required":["a"]},"then":{"type":"object","additionalProperties":{"$ref":"#/$defs/node"},
       "properties":{"a":{"$ref":"#/$defs/node","default":7}}}}}}
      """##)
    let values = [
      (nested(128, "[", "7", "]"), true), (nested(128, "{\"a\":", "7", "}"), true),
      (nested(128, "[", "\"x\"", "]"), false), (nested(128, "{\"a\":", "\"x\"", "}"), false),
      (nested(64, "[{\"a\":", "7", "}]"), true),
      (nested(127, "{\"a\":1,\"a\":", "{\"b\":1,\"b\":2}", "}"), true),
    ]
    onSmallStack {
      for (source, isAccepted) in values {
        do {
          let value = try json(source)
          #expect(recursive.accepts(value) == isAccepted)
          #expect(JSONEquality.areEqual(value, try json(" " + source)))
          #expect(recursive.applyingDefaults(to: value).hasSameBytes(value))
        } catch {
          Issue.record("\(error)")
        }
      }
    }
  }

  @Test("a schema of the greatest depth is compiled and checked on a small stack")
  func deepSchema() throws {
    let text = nested(31, #"{"items":{"allOf":[{"not":"#, #"{"type":"string"}"#, "}]}}")
    let value = nested(31, "[", "1", "]")
    onSmallStack {
      do {
        let deep = try schema(text)
        #expect(deep.accepts(try json(value)) == true)
        let other = try json(value.replacingOccurrences(of: "1", with: "\"x\""))
        #expect(deep.accepts(other) == false)
        #expect(deep.accepts(try json("[]")) == true)
      } catch {
        Issue.record("\(error)")
      }
    }
  }

  @Test("alternatives within alternatives end after a bounded number of steps")
  func exponential() throws {
    let schema = try schema(
      ##"""
      {"anyOf":[{"type":"object","properties":{"c":{"$ref":"#"}},"required":["c"]},
       {"type":"object","properties":{"c":{"$ref":"#"}}},{"const":7}]}
      """##)
    #expect(try violations(schema, nested(3, "{\"c\":", "8", "}")) == [" noneMatches"])
    let deep = nested(100, "{\"c\":", "8", "}")
    let start = ContinuousClock.now
    #expect(try violations(schema, deep) == [" tooComplex"])
    #expect(!schema.accepts(try json(deep)))
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(try violations(schema, nested(100, "{\"c\":", "7", "}")) == [])
  }

  @Test("what was found before the check was given up is told as well")
  func partial() throws {
    let schema = try schema(
      ##"""
      {"properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/x"}},
       "$defs":{"x":{"anyOf":[{"properties":{"c":{"$ref":"#/$defs/x"}}},
       {"properties":{"c":{"$ref":"#/$defs/x"}},"minProperties":1}],
       "not":{"const":8}}}}
      """##)
    let value = "{\"a\":1,\"b\":\(nested(100, "{\"c\":", "8", "}"))}"
    #expect(try violations(schema, value) == ["/a wrongType(string)", " tooComplex"])
  }

  @Test("large values of an ordinary schema are not too complex")
  func large() throws {
    let schema = try schema(
      ##"""
      {"type":"array","items":{"anyOf":[{"$ref":"#/$defs/item"},{"type":"integer","minimum":0},{"type":"number"}]},
       "$defs":{"item":{"type":"object","required":["id"],"additionalProperties":false,"properties":{
       "id":{"type":"string","minLength":1},"tags":{"type":"array","uniqueItems":true,"items":{"enum":["a","b","c"]}},
       "next":{"anyOf":[{"$ref":"#/$defs/item"},{"type":"null"}]}}}}}
      """##)
    let items = (0..<4_000).map {
      "{\"id\":\"\($0)\",\"tags\":[\"a\",\"b\"],\"next\":{\"id\":\"x\",\"next\":{\"id\":\"y\",\"next\":null}}}"
    }
    #expect(try violations(schema, "[" + items.joined(separator: ",") + "]") == [])
    #expect(try violations(schema, "[" + [String](repeating: "1", count: 100_000).joined(separator: ",") + "]") == [])
    let bad = items.dropLast() + ["{\"id\":\"\",\"tags\":[\"d\"]}"]
    #expect(
      try violations(schema, "[" + bad.joined(separator: ",") + "]") == [
        "/3999/id tooShort(1)", "/3999/tags/0 notInEnum(\"a\",\"b\",\"c\")",
      ])
  }

  @Test("a long list of distinct values, and one with two equal far apart, are told apart quickly")
  func uniqueness() throws {
    let schema = try schema(#"{"uniqueItems":true}"#)
    let numbers = (0..<50_000).map { "\($0)" }
    #expect(try violations(schema, "[" + numbers.joined(separator: ",") + "]") == [])
    #expect(try violations(schema, "[" + (numbers + ["0.0"]).joined(separator: ",") + "]") == [" notUnique"])
  }

  @Test("an object with very many keys is checked in time that grows with it, not with its square")
  func manyKeys() throws {
    let names = (0..<2_000).map { "\"key\($0)\"" }
    let properties = names.map { "\($0):{\"type\":\"integer\"}" }.joined(separator: ",")
    let schema = try schema(
      "{\"properties\":{\(properties)},\"required\":[\(names.joined(separator: ","))],\"additionalProperties\":false}")
    let members = names.reversed().map { "\($0):1" }.joined(separator: ",")
    let start = ContinuousClock.now
    for _ in 0..<10 { #expect(schema.accepts(try json("{\(members)}"))) }
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(try violations(schema, "{\(members),\"more\":1}") == ["/more additionalProperty(more)"])
  }
}
