import CMuster
import CPlatform
import MusterAPI
import MusterJSON

/// What a `muster_error *` stands for: its texts stay where they are until it is freed.
final class ErrorHandle: @unchecked Sendable {
  static let table = HandleTable<ErrorHandle>(tag: 0xa3)

  let status: Status
  let httpStatus: Int32
  let isRetryable: Bool
  let message: UnsafeMutablePointer<CChar>
  let document: UnsafeMutablePointer<CChar>
  let documentLength: Int

  init?(_ failure: Failure) {
    let bytes = Array(failure.document.bytes)
    guard let message = Text.copy(Array(failure.message.utf8)) else { return nil }
    guard let document = Text.copy(bytes) else {
      free(message)
      return nil
    }
    status = failure.status
    httpStatus = failure.httpStatus
    isRetryable = failure.isRetryable
    self.message = message
    self.document = document
    documentLength = bytes.count
  }

  deinit {
    free(message)
    free(document)
  }
}

/// Gives a failure to the caller: the status as the result, and the error object through its parameter.
func report(_ failure: Failure, _ error: UnsafeMutablePointer<OpaquePointer?>?) -> muster_status {
  if let error { error.pointee = ErrorHandle(failure).flatMap { ErrorHandle.table.insert($0) } }
  return failure.status.rawValue
}
