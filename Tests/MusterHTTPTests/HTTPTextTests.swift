import MusterHTTP
import Testing

@Suite("Texts of HTTP")
struct HTTPTextTests {
  @Test(
    "user names and passwords are taken out of messages",
    arguments: [
      ("Could not resolve host: example.com", "Could not resolve host: example.com"),
      ("Unsupported proxy scheme for 'foo://anna:x@host:1'", "Unsupported proxy scheme for 'foo://***@host:1'"),
      ("a http://u:p@q@h/ b", "a http://***@h/ b"), ("u:p@h", "***@h"), ("http://u:p/q@h", "http://***@h"),
      ("@", "***@"),
      ("a  @  b", "a  ***@  b"), ("", ""),
    ])
  func userInfo(text: String, cleaned: String) {
    #expect(HTTPText.withoutUserInfo(text) == cleaned)
  }

  @Test(
    "the host of a URL comes with its port and without a user",
    arguments: [
      ("https://api.openai.com/v1", "api.openai.com"), ("http://127.0.0.1:80?x", "127.0.0.1:80"),
      ("http://u:p@[::1]:8/x@y", "[::1]:8"), ("http://h#f@g", "h"), ("nonsense", ""), ("http://", ""), ("a:b", ""),
      ("", ""),
    ])
  func host(url: String, host: String) {
    #expect(HTTPURL.host(of: url) == host)
  }

  @Test(
    "a URL is shown without user, query and fragment",
    arguments: [
      ("https://u:p@h/v1?key=secret#x", "https://***@h/v1"), ("ftp://h/x", "ftp://h/x"), ("u:p@h", "***@h"),
    ])
  func shown(url: String, shown: String) {
    #expect(HTTPURL.shown(url) == shown)
  }

  @Test("the case of letters does not matter, and nothing but letters has case")
  func caseless() {
    #expect(HTTPHeader("X-Ab", "1").isNamed("x-aB"))
    #expect(!HTTPHeader("X-Ab", "1").isNamed("x-abc"))
    #expect(!HTTPHeader("X[", "1").isNamed("x{"))
    #expect(HTTPText.hasPrefixIgnoringCase("HTTPS://x", "https://"))
    #expect(HTTPText.hasPrefixIgnoringCase("https://", "https://"))
    #expect(!HTTPText.hasPrefixIgnoringCase("https:/", "https://"))
  }
}
