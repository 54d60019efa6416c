import MusterJSON
import Testing

@Suite("Equality")
struct JSONEqualityTests {
  /// Values of one row are equal, values of two rows are not.
  private static let rows: [[String]] = [
    ["null"], ["true"], ["false"], ["\"\""], ["[]"], ["{}"], ["[[]]"], ["[{}]"], ["[null]"], ["\"null\""],
    ["0", "-0", "0.0", "0e7", "-0.000", "0e-9999"], ["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"],
    ["-1", "-1.0", "-10e-1"],
    ["100", "1e2", "100.0", "0.01e4"], ["9007199254740993", "9007199254740993.0"], ["9007199254740992"],
    ["0.1", "1e-1", "0.10"], ["0.1000000000000000055511151231257827"], ["1e-400", "0.1e-399"], ["2e-400"],
    ["1e308", "10e307"],
    ["\"a\"", #""\u0061""#], ["\"A\""], ["\"é\"", #""\u00e9""#, #""\u00E9""#], [#""e\u0301""#],
    [#""\ud83d\ude80""#, "\"🚀\""],
    [#""\/""#, #""/""#], [#""\\""#, #""\u005c""#], [#""\"""#], ["\"1\""], ["\"1e1\""],
    ["[1,2]", "[1.0,2.00]"], ["[2,1]"], ["[1,2,null]"], ["[[1],2]"], ["[[1,2]]"], [#"["a","b"]"#], [#"["a,b"]"#],
    [#"["a\",\"b"]"#],
    [#"{"a":1,"b":[2]}"#, #"{"b":[2.0],"a":1}"#, #"{"\u0062":[2],"a":1e0}"#], [#"{"a":1,"b":2}"#], [#"{"a":1}"#],
    [#"{"b":1}"#],
    [#"{"a":{"x":1,"y":2},"b":{}}"#, #"{"b":{},"a":{"y":2,"x":1}}"#], [#"{"a":{"x":1},"y":2,"b":{}}"#], [#"{"a,b":1}"#],
    [#"{"":0}"#], [#"{"a":null}"#],
  ]

  @Test("equal values are equal however they are written, and others are not")
  func rows() throws {
    for (index, row) in Self.rows.enumerated() {
      for left in row {
        for (other, candidates) in Self.rows.enumerated() {
          for right in candidates {
            let areEqual = JSONEquality.areEqual(try json(left), try json(right))
            #expect(areEqual == (index == other), "\(left) and \(right)")
          }
        }
      }
    }
  }
}
