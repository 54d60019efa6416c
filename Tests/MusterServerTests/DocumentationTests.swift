import Foundation
import MusterAPI
import MusterJSON
import MusterSystem
import Testing

@testable import MusterServer

@Suite("The page of the documentation")
struct DocumentationTests {
  private let page = String(decoding: DocumentationPage.answer.body, as: UTF8.self)

  private func get(_ path: String) throws -> RESTAnswer {
    let plane = try ControlPlane(configuration: Array(":memory:".utf8), log: Log { _, _, _ in })
    defer { plane.close() }
    return RESTService(plane: plane)
      .answer(RESTRequest(method: "GET", target: Array(path.utf8), headers: [], body: []))
  }

  @Test("the document and its page need no key")
  func open() throws {
    let document = try get("/openapi.json")
    #expect(document.status == 200)
    #expect(try JSON.parse(document.body)["openapi"]?.string == "3.1.0")
    let answer = try get("/docs")
    #expect(answer.status == 200)
    #expect(answer.headers.contains { $0.name == "Content-Type" && $0.value == "text/html; charset=utf-8" })
    #expect(answer.body == DocumentationPage.answer.body)
  }

  @Test("it shows every operation and every schema")
  func whole() {
    for path in OpenAPIDocument.json["paths"]?.members ?? [] {
      for operation in path.value.members {
        let name = operation.value["operationId"]?.string ?? ""
        #expect(page.contains("<article id=\"\(name)\">"))
        #expect(page.contains("href=\"#\(name)\""))
      }
    }
    for schema in OpenAPIDocument.json["components"]?["schemas"]?.members ?? [] {
      #expect(page.contains("<article id=\"schema-\(schema.key)\">"))
    }
  }

  @Test("every link leads to a place of the page")
  func links() throws {
    for part in page.components(separatedBy: "href=\"#").dropFirst() {
      let place = try #require(part.components(separatedBy: "\"").first)
      #expect(page.contains("id=\"\(place)\""), "\(place)")
    }
  }

  @Test("it loads nothing and runs nothing, and its policy says so")
  func closed() throws {
    for word in ["<script", "<link", "<img", "src=", "http://", "https://", "@import", "url(", "style=\"", "onclick"] {
      #expect(!page.contains(word), "\(word)")
    }
    let policy = try #require(
      DocumentationPage.answer.headers.first { $0.name == "Content-Security-Policy" }?.value)
    #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
    let digest = try #require(
      Digest.sha256(DocumentationStyle.text.withUTF8Buffer { Array($0) }))
    #expect(DocumentationStyle.hash == "sha256-\(Data(digest).base64EncodedString())")
  }

  @Test("what comes from the document is shown as text")
  func escaping() throws {
    let document = try JSON.parse(
      Array(
        """
        {"info":{"description":"<b>&\\"'"},"tags":[{"name":"t"}],"paths":{"/x/{a}":{"post":{"operationId":"o","tags":["t"],\
        "summary":"<i>","responses":{}}}},"components":{"schemas":{"S":{"type":"object","description":"<u>","properties":{"<p>":\
        {"type":"string","default":"<d>"}}}}}}
        """.utf8))
    let html = String(decoding: DocumentationPage.make(document), as: UTF8.self)
    #expect(html.contains("&lt;b&gt;&amp;&quot;&#39;"))
    #expect(html.contains("&lt;i&gt;"))
    #expect(html.contains("&lt;u&gt;"))
    #expect(html.contains("&lt;p&gt;"))
    #expect(html.contains("&lt;d&gt;"))
    #expect(html.contains("curl -X POST &quot;$MUSTER_BASE_URL/x/$a&quot;"))
  }
}
