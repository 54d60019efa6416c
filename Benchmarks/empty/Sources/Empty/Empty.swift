/// Counts the bytes of a text by their value: enough to need the standard library.
@_cdecl("empty_count")
public func emptyCount(_ text: UnsafePointer<CChar>, _ wanted: Int32) -> Int32 {
  var counts: [String: Int] = [:]
  for byte in String(cString: text).utf8 { counts["\(byte)", default: 0] += 1 }
  return Int32(truncatingIfNeeded: counts["\(wanted)"] ?? 0)
}
