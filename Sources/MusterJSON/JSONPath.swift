/// A step from a container to what is in it.
package enum JSONPathElement: Sendable, Equatable {
  case key(String)
  case index(Int)
}

/// Finds the way to a place in a text.
enum JSONPath {
  /// The steps from the value at `root` to the value or the key that begins at `position`. One pass over the bytes
  /// between the two, so that no reader has to carry paths along for the rare case that it needs one.
  static func elements(to position: Int, from root: Range<Int>, in text: [UInt8]) -> [JSONPathElement] {
    var open: [(isObject: Bool, key: Range<Int>, index: Int)] = []
    var at = root.lowerBound
    let end = min(root.upperBound, text.count)
    scan: while at <= position, at >= 0, at < end {
      switch text[at] {
      case UInt8(ascii: "\""):
        let stringEnd = JSONSkip.value(in: text, at: at)
        if let last = open.last, last.isObject, stringEnd < end, text[stringEnd] == UInt8(ascii: ":") {
          open[open.count - 1].key = at + 1..<max(stringEnd - 1, at + 1)
        }
        at = stringEnd
        continue scan
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        if at == position { break scan }
        open.append((text[at] == UInt8(ascii: "{"), 0..<0, 0))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
      case UInt8(ascii: ","): if let last = open.last, !last.isObject { open[open.count - 1].index += 1 }
      default: break
      }
      at += 1
    }
    return open.map { step in
      step.isObject ? .key(String(decoding: JSONString.decode(text[step.key]), as: UTF8.self)) : .index(step.index)
    }
  }

  /// The steps as a JSON pointer (RFC 6901): empty for no step, else `/` before each.
  static func pointer(_ elements: [JSONPathElement]) -> String {
    var pointer = ""
    for element in elements {
      pointer += "/"
      switch element {
      case .index(let index): pointer += "\(index)"
      case .key(let key):
        for scalar in key.unicodeScalars {
          switch scalar {
          case "~": pointer += "~0"
          case "/": pointer += "~1"
          default: pointer.unicodeScalars.append(scalar)
          }
        }
      }
    }
    return pointer
  }
}
