import MusterJSON

/// Whether an answer is the JSON that was asked for.
enum AnswerCheck {
  enum Verdict: Equatable {
    /// `result` is the JSON text where it is not the whole answer, as inside a Markdown fence.
    case acceptable(result: String?)
    /// What is wrong, in a sentence for the model and for people.
    case unacceptable(String)
  }

  /// Checks the text of an answer (a JSON string) against a schema; without one, any JSON will do.
  static func check(_ text: JSON, against schema: JSON?) -> Verdict {
    let content = text.utf8 ?? []
    let inner = unfenced(content)
    let value: JSON
    do throws(JSONError) {
      value = try JSON.parse(inner)
    } catch {
      return .unacceptable("The answer is not valid JSON: \(error.description).")
    }
    if let schema {
      let compiled: JSONSchema
      do throws(JSONSchemaError) {
        compiled = try JSONSchema.compile(schema, components: nil)
      } catch {
        return .unacceptable("The output schema cannot be checked: \(error.description).")
      }
      if let violation = compiled.violations(of: value, limit: 1).first {
        let place = violation.pointer.isEmpty ? "" : " at \(violation.pointer)"
        return .unacceptable("The answer does not match the output schema\(place): \(violation.message).")
      }
    }
    return .acceptable(result: inner.count == content.count ? nil : String(decoding: inner, as: UTF8.self))
  }

  /// The text without blanks around it and without the Markdown fence that models like to put around JSON.
  private static func unfenced(_ content: [UInt8]) -> [UInt8] {
    let fence = Array("```".utf8)
    let outer = trimmed(content[...])
    guard outer.starts(with: fence), outer.count >= 6, outer.suffix(3).elementsEqual(fence) else { return Array(outer) }
    let inner = outer.dropFirst(3).dropLast(3)
    // The name of the language may stand before the JSON, on a line of its own or not.
    let isLetter = { (byte: UInt8) in (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") }
    let name = inner.prefix(while: isLetter)
    let rest = trimmed(inner.dropFirst(name.count))
    let next = inner.dropFirst(name.count).first
    let isName = name.prefix(4).map { $0 | 0x20 }.elementsEqual("json".utf8) || next == 0x0a || next == 0x0d
    return Array(isName && !rest.isEmpty ? rest : trimmed(inner))
  }

  private static func trimmed(_ content: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
    var inner = content.drop(while: isBlank)
    while let last = inner.last, isBlank(last) { inner = inner.dropLast() }
    return inner
  }
}
