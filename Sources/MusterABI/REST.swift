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
    let request = try request(method, target, headersJSON, body, bodyLength)
    let made = try found.rest().answer(request)
    let isHead = request.method == "HEAD"
    var answer = try made.collected(isWanted: !isHead, maximum: JSONLimits.request.bytes)
    // HEAD: the headers of GET without its body.
    if isHead {
      if answer.status != 204, made.source == nil { answer.headers.append(("Content-Length", "\(answer.body.count)")) }
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

@_cdecl("muster_http_submit") @implementation
public func muster_http_submit(
  _ plane: OpaquePointer?, _ handle: OpaquePointer?, _ method: UnsafePointer<CChar>?,
  _ target: UnsafePointer<CChar>?, _ headersJSON: UnsafePointer<CChar>?, _ body: UnsafeRawPointer?,
  _ bodyLength: Int, _ userData: UnsafeMutableRawPointer?, _ ticket: UnsafeMutablePointer<muster_ticket>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  ticket?.pointee = 0
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    let queue = try queue(handle, on: plane)
    let request = try request(method, target, headersJSON, body, bodyLength)
    let service = try PlaneHandle.find(plane).rest()
    let number = try queue.submit(userData: UInt(bitPattern: userData)) { interrupt in
      RESTSubmission(service: service, request: request, interrupt: interrupt)
    }
    ticket?.pointee = number
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

/// The request that the arguments of a function are.
private func request(
  _ method: UnsafePointer<CChar>?, _ target: UnsafePointer<CChar>?, _ headersJSON: UnsafePointer<CChar>?,
  _ body: UnsafeRawPointer?, _ bodyLength: Int
) throws(Failure) -> RESTRequest {
  guard body != nil || bodyLength == 0 else { throw Failure(.misuse, "body is NULL, and its length is not 0") }
  guard bodyLength >= 0, bodyLength <= JSONLimits.request.bytes else {
    throw Failure(.limit, "the body has more than \(JSONLimits.request.bytes) bytes")
  }
  return RESTRequest(
    method: try Text.string(method, "method"), target: Array(try Text.string(target, "target").utf8),
    headers: try headers(headersJSON), body: Array(UnsafeRawBufferPointer(start: body, count: bodyLength)))
}
