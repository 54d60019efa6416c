/// The result of a call, as C sees it. The numbers are permanent.
package struct Status: RawRepresentable, Equatable, Sendable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let ok = Status(rawValue: 0)
  package static let misuse = Status(rawValue: 1)
  package static let badHandle = Status(rawValue: 2)
  package static let utf8 = Status(rawValue: 3)
  package static let json = Status(rawValue: 4)
  package static let limit = Status(rawValue: 5)
  package static let unknownOperation = Status(rawValue: 6)
  package static let wouldDeadlock = Status(rawValue: 7)
  package static let forked = Status(rawValue: 8)
  package static let api = Status(rawValue: 20)
  package static let busy = Status(rawValue: 40)
  package static let timeout = Status(rawValue: 41)
  package static let store = Status(rawValue: 42)
  package static let network = Status(rawValue: 43)
  package static let cancelled = Status(rawValue: 60)
  package static let closed = Status(rawValue: 61)
  package static let unsupported = Status(rawValue: 90)
  package static let `internal` = Status(rawValue: 99)

  /// Every status with its name, in the order of the numbers.
  package static let named: [(name: StaticString, status: Status)] = [
    ("OK", .ok), ("MISUSE", .misuse), ("BAD_HANDLE", .badHandle), ("UTF8", .utf8), ("JSON", .json), ("LIMIT", .limit),
    ("UNKNOWN_OP", .unknownOperation), ("WOULD_DEADLOCK", .wouldDeadlock), ("FORKED", .forked), ("API", .api),
    ("BUSY", .busy), ("TIMEOUT", .timeout), ("STORE", .store), ("NETWORK", .network), ("CANCELLED", .cancelled),
    ("CLOSED", .closed), ("UNSUPPORTED", .unsupported), ("INTERNAL", .internal),
  ]

  /// The name without the prefix.
  package var name: StaticString {
    for entry in Status.named where entry.status == self { return entry.name }
    return "UNKNOWN"
  }

  /// The HTTP status with which the REST service answers the same failure.
  var httpStatus: Int32 {
    switch self {
    case .ok: return 200
    case .misuse, .utf8, .json: return 400
    case .limit: return 413
    case .unknownOperation: return 404
    case .wouldDeadlock: return 409
    case .busy, .closed: return 503
    case .timeout: return 504
    case .cancelled: return 499
    case .network: return 502
    case .unsupported: return 501
    default: return 500
    }
  }
}
