import MusterAPI

/// Where a request leads: its target taken apart, and the route that this fits.
struct Destination {
  let target: RequestTarget
  /// Nil when the path is unknown, or open.
  let match: Routes.Match?
  /// Whether its answer is for the holders of keys, and counted when they are limited. All others take nothing from the
  /// store.
  let needsKey: Bool

  private static let routes = Routes(OperationTable.all)

  init(_ bytes: [UInt8]) throws(RequestTarget.Problem) {
    do throws(RequestTarget.Problem) {
      target = try RequestTarget(bytes)
    } catch {
      // Only the Python client is allowed a slash too many.
      guard error == .path else { throw error }
      target = try RequestTarget(bytes, ignoresEmptySegments: true)
      guard target.segments.first != "v1", let match = ClientRoutes.all.match(target.segments) else { throw error }
      self.match = match
      needsKey = true
      return
    }
    if OpenRoutes.has(target.segments) {
      match = nil
      needsKey = false
    } else if target.segments.first == "v1" {
      match = Destination.routes.match(target.segments)
      needsKey = true
    } else {
      match = ClientRoutes.all.match(target.segments)
      needsKey = match != nil
    }
  }

  /// The same of a target that may be none.
  static func needsKey(_ bytes: [UInt8]) -> Bool {
    do throws(RequestTarget.Problem) { return try Destination(bytes).needsKey } catch { return false }
  }
}
