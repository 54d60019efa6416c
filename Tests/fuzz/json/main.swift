// Any bytes, as a JSON text: the parser and jansson accept the same texts and mean the same by them, and nothing that reads a
// parsed value traps. A text {"schema": …, "value": …} is also a schema and what it is applied to.
import CFuzzer
import CJansson
import MusterJSON

/// jansson's compact print of a text; nil when it refuses the text.
func janssonPrint(_ text: [UInt8], flags: Int = 0) -> [UInt8]? {
  let value = text.withUnsafeBufferPointer { buffer in
    buffer.withMemoryRebound(to: CChar.self) {
      json_loadb($0.baseAddress, $0.count, Int(JSON_DECODE_ANY) | flags, nil)
    }
  }
  guard let value else { return nil }
  defer { json_decref(value) }
  let flags = Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY)
  var printed = [UInt8](repeating: 0, count: json_dumpb(value, nil, 0, flags))
  let size = printed.withUnsafeMutableBufferPointer { buffer in
    buffer.withMemoryRebound(to: CChar.self) { json_dumpb(value, $0.baseAddress, $0.count, flags) }
  }
  return size == printed.count ? printed : nil
}

/// Reads all of a value in every way; the sum keeps the reads from being left out.
func read(_ value: JSON) -> Int {
  var sum = (value.string?.utf8.count ?? 0) &+ (value.utf8?.count ?? 0) &+ Int(truncatingIfNeeded: value.int64 ?? 0)
  if value.bool ?? false { sum &+= 1 }
  for member in value.members { sum &+= read(member.lexeme) &+ read(member.value) }
  for element in value.elements { sum &+= read(element) }
  return sum
}

func checkSchema(_ document: JSON) {
  guard let text = document["schema"], let value = document["value"],
    let schema = try? JSONSchema.compile(text, components: document["components"])
  else { return }
  let violations = schema.violations(of: value)
  guard schema.accepts(value) == violations.isEmpty else { fatalError("accepts and violations disagree") }
  for violation in violations where violation.message.isEmpty { fatalError("a violation says nothing") }
  let whole = schema.applyingDefaults(to: value)
  guard (try? JSON.parse(Array(whole.bytes)))?.hasSameBytes(whole) == true else {
    fatalError("defaults leave the normal form")
  }
}

func check(_ text: [UInt8]) {
  let wanted = janssonPrint(text)
  let document: JSON
  do throws(JSONError) {
    document = try JSON.parse(text)
  } catch {
    // jansson overlooks a zero byte right behind a number, which no JSON text may have, and reads deeper texts.
    guard wanted == nil || text.contains(0) || error.kind == .limit else {
      fatalError("jansson accepts, the parser says: \(error.description)")
    }
    guard !error.description.isEmpty else { fatalError("a refusal says nothing") }
    return
  }
  let normal = Array(document.bytes)
  guard let wanted else { fatalError("jansson refuses it") }
  guard janssonPrint(normal, flags: Int(JSON_REJECT_DUPLICATES)) == wanted else {
    fatalError("it means something else")
  }
  guard (try? JSON.parse(normal))?.hasSameBytes(document) == true else { fatalError("the normal form changes again") }
  guard JSONEquality.areEqual(document, document) else { fatalError("a value differs from itself") }
  _ = read(document)
  checkSchema(document)
}

// The same hashes each time, so that a finding can be run again.
json_object_seed(1)
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    check(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
