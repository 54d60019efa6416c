// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import CPlatform
import MusterAPI
import MusterJSON
import MusterServer

// The REST service without a socket.

@_cdecl("muster_http") @implementation
public func muster_http(
  _ plane: OpaquePointer?, _ method: UnsafePointer<CChar>?, _ target: UnsafePointer<CChar>?,
  _ headersJSON: UnsafePointer<CChar>?, _ body: UnsafeRawPointer?, _ bodyLength: Int,
  _ httpStatus: UnsafeMutablePointer<Int32>?,
  _ responseHeadersJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ response: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ responseLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  httpStatus?.pointee = 0
  responseHeadersJSON?.pointee = nil
  response?.pointee = nil
  responseLength?.pointee = 0
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    let found = try PlaneHandle.find(plane)
    guard body != nil || bodyLength == 0 else { throw Failure(.misuse, "body is NULL, and its length is not 0") }
    guard bodyLength >= 0, bodyLength <= JSONLimits.request.bytes else {
      throw Failure(.limit, "the body has more than \(JSONLimits.request.bytes) bytes")
    }
    let request = RESTRequest(
      method: try Text.string(method, "method"), target: Array(try Text.string(target, "target").utf8),
      headers: try headers(headersJSON), body: Array(UnsafeRawBufferPointer(start: body, count: bodyLength)))
    var answer = try found.rest().answer(request)
    // HEAD: the headers of GET without its body.
    if request.method == "HEAD" {
      if answer.status != 204 { answer.headers.append(("Content-Length", "\(answer.body.count)")) }
      answer.body = []
    }
    guard let copiedHeaders = Text.copy(headersText(answer)), let copiedBody = Text.copy(answer.body) else {
      throw Failure(.internal, "out of memory")
    }
    httpStatus?.pointee = answer.status
    if let responseHeadersJSON { responseHeadersJSON.pointee = copiedHeaders } else { free(copiedHeaders) }
    if let response { response.pointee = UnsafeMutableRawPointer(copiedBody) } else { free(copiedBody) }
    responseLength?.pointee = answer.body.count
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

/// The headers of a request: an object of texts, or NULL.
private func headers(_ text: UnsafePointer<CChar>?) throws(Failure) -> [(name: String, value: String)] {
  guard text != nil else { return [] }
  let object = try Text.json(text, "headers_json")
  guard object.kind == .object else { throw Failure(.json, "headers_json must be a JSON object") }
  var headers: [(name: String, value: String)] = []
  for member in object.members {
    guard let value = member.value.string else { throw Failure(.misuse, "headers_json: \(member.key) is no text") }
    headers.append((member.key, value))
  }
  return headers
}

private func headersText(_ answer: RESTAnswer) -> [UInt8] {
  var writer = JSONWriter()
  writer.beginObject()
  for header in answer.headers { writer.member(text: header.name, .string(header.value)) }
  writer.endObject()
  return writer.bytes
}
