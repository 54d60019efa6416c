import MusterJSON
import Testing

@testable import MusterTools

@Suite("Results of tools")
struct ToolResultTests {
  private func result(_ text: String, limit: Int) throws -> JSON {
    ToolResult(try JSON.parse(Array(text.utf8)), isError: false, limit: limit).content
  }

  @Test(
    "A result within the limit stays byte for byte",
    arguments: ["null", "[1,2.50]", #"{"a":"\u00e9"}"#, #""abc""#])
  func kept(text: String) throws {
    #expect(try result(text, limit: 256).bytes.elementsEqual(text.utf8))
  }

  @Test("Of a string its content counts, not its escapes")
  func escapes() throws {
    let text = "\"" + String(repeating: "\\n", count: 256) + "\""
    #expect(try result(text, limit: 256).string == String(repeating: "\n", count: 256))
    #expect(try result(text, limit: 255).string?.hasSuffix(" of 256 bytes were cut off]") == true)
  }

  @Test("A longer string is cut at a character, says how much is missing, and stays within the limit")
  func cut() throws {
    for letter in ["a", "é", "€", "😀"] {
      for count in 250...300 {
        let text = String(repeating: letter, count: count)
        let size = text.utf8.count
        let cut = try #require(try result("\"\(text)\"", limit: 256).string)
        if size <= 256 {
          #expect(cut == text)
          continue
        }
        let parts = cut.split(separator: "\n")
        #expect(cut.utf8.count <= 256)
        #expect(parts.count == 2 && text.hasPrefix(parts[0]))
        #expect(parts[1] == "[\(size - parts[0].utf8.count) of \(size) bytes were cut off]")
      }
    }
  }

  @Test("Anything else that is longer becomes the beginning of its text")
  func cutDocument() throws {
    let text = "[" + String(repeating: "[1],", count: 100) + "2]"
    let cut = try #require(try result(text, limit: 256).string)
    #expect(cut.hasPrefix("[[1],[1],"))
    #expect(cut.utf8.count <= 256)
    #expect(cut.hasSuffix(" of \(text.utf8.count) bytes were cut off]"))
  }
}
