import MusterJSON

/// The paths that need no key, as OpenAPI describes them.
enum OpenAPIOpenPaths {
  static let tag = "service"

  static let all: [(path: String, item: JSON)] = [
    ("/health", item("service.health", "Says that the service answers.", "application/json", #"{"const":"ok"}"#)),
    (
      "/openapi.json",
      item("service.openapi", "Gives this document.", "application/json", #"{"type":"object"}"#)
    ),
    ("/docs", item("service.docs", "Gives this document as a page to read.", "text/html", #"{"type":"string"}"#)),
  ]

  private static func item(_ name: String, _ summary: String, _ type: String, _ schema: String) -> JSON {
    JSON.trusted(
      Array(
        """
        {"get":{"operationId":"\(name)","summary":"\(summary)","tags":["\(tag)"],"security":[],"responses":{"200":{"description":"\
        It is.","headers":{"X-Request-Id":{"$ref":"#/components/headers/X-Request-Id"}},"content":{"\(type)":{"schema":\(schema)}}}}}}
        """.utf8))
  }
}
