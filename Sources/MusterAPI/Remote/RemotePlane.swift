import MusterJSON
import MusterRemote
import MusterSystem

/// The operations of a control plane elsewhere: each call is sent to its REST service. Who calls, and what they may do,
/// is told by the API key.
package final class RemotePlane: Plane, Sendable {
  private let service: RemoteService
  private let callTimeoutMilliseconds: Int64
  private let gate = Gate()
  private let tickets = Tickets()
  private let log: Log

  /// Connects to nobody: whether the service is there is seen with the first call.
  init(_ configuration: PlaneConfiguration, log: Log) throws(Failure) {
    do throws(RemoteError) {
      service = try RemoteService(address: configuration.store, key: configuration.apiKey, log: log)
    } catch {
      guard case .misuse(let problem) = error else { throw Failure(error) }
      throw Failure(.misuse, "config: store \(problem)")
    }
    callTimeoutMilliseconds = configuration.callTimeoutMilliseconds
    self.log = log
    log.write(.info, "plane", "open")
  }

  package func call(
    _ name: String, _ arguments: Arguments, timeoutMilliseconds: Int64
  ) throws(Failure) -> [UInt8] {
    guard let operation = OperationTable.operation(name) else {
      throw Failure(.unknownOperation, "no operation is named \(name)")
    }
    let interrupt: Interrupt
    if let ticket = arguments.ticket {
      guard let known = tickets.use(ticket) else {
        throw Failure(.misuse, "context.ticket \(ticket) is unknown or was used")
      }
      interrupt = known
    } else {
      interrupt = Interrupt()
    }
    defer { if let ticket = arguments.ticket { tickets.retire(ticket) } }
    let deadline = Deadline.after(
      milliseconds: timeoutMilliseconds == 0 ? callTimeoutMilliseconds : timeoutMilliseconds)
    let answer = try gate.pass(interrupt) { () throws(Failure) -> [UInt8] in
      if interrupt.reason == .cancelled { throw Failure(.cancelled, "the call was cancelled before it began") }
      return try send(try RemotePlane.request(operation, arguments), deadline, interrupt)
    }
    guard let answer else { throw Failure(.closed, "the plane is closed") }
    return answer
  }

  private func send(
    _ request: RemoteRequest, _ deadline: Deadline, _ interrupt: Interrupt
  ) throws(Failure) -> [UInt8] {
    let answer: RemoteAnswer
    do throws(RemoteError) {
      answer = try service.send(request, deadline: deadline, interrupt: interrupt)
    } catch {
      throw Failure(error)
    }
    switch answer {
    case .success(let text): return text
    case .failure(let httpStatus, let detail, let isRetryable):
      throw .remote(httpStatus, detail: detail, isRetryable: isRetryable)
    }
  }

  /// The request that a call is. Arguments that do not match the operation are refused here: not all of them could be
  /// written into a URL, and the service would say the same.
  private static func request(_ operation: Operation, _ arguments: Arguments) throws(Failure) -> RemoteRequest {
    guard !operation.path.isEmpty else {
      throw Failure(.unsupported, "\(operation.name) is for stores of this machine: a remote service does not have it")
    }
    if arguments.idempotencyKey != nil, operation.method != "POST" {
      throw Failure(.misuse, "\(operation.name) takes no idempotency key")
    }
    try OperationCall.checkParameters(of: operation, in: arguments)
    var path: [(name: String, value: String)] = []
    var query: [(name: String, value: String)] = []
    for parameter in operation.parameters {
      let given = arguments.parameters.first { $0.name == parameter.name && !$0.value.isNull }
      guard let value = given?.value else { continue }
      let text = value.string ?? String(decoding: value.bytes, as: UTF8.self)
      switch parameter.location {
      case .path: path.append((parameter.name, text))
      case .query: query.append((parameter.name, text))
      }
    }
    return RemoteRequest(
      method: operation.method, path: operation.path, pathValues: path, query: query,
      body: operation.body == nil ? nil : arguments.body, idempotencyKey: arguments.idempotencyKey)
  }

  package func makeTicket() -> UInt64 { tickets.make() }

  package func cancel(_ ticket: UInt64) { tickets.cancel(ticket) }

  package func close() {
    guard gate.close() else { return }
    service.close()
    log.write(.info, "plane", "closed")
  }
}
