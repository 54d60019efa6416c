package import MusterAPI
import MusterJSON
import MusterSystem

/// Answers requests as the documented service does. Every function may be called from any thread and blocks until the
/// operation has ended.
package final class RESTService: Sendable {
  private let plane: ControlPlane
  private let settings: RESTSettings
  private static let routes = Routes(OperationTable.all)

  package init(plane: ControlPlane, settings: RESTSettings = RESTSettings()) {
    self.plane = plane
    self.settings = settings
  }

  /// Answers one request; whatever is wrong with it, there is an answer.
  package func answer(_ request: RESTRequest) -> RESTAnswer {
    do throws(Failure) {
      return try respond(request)
    } catch {
      return .failure(error)
    }
  }

  private func respond(_ request: RESTRequest) throws(Failure) -> RESTAnswer {
    let target: RequestTarget
    do throws(RequestTarget.Problem) {
      target = try RequestTarget(request.target)
    } catch {
      throw RESTService.refused(error)
    }
    if let answer = OpenRoutes.answer(request.method, target.segments) { return answer }
    guard target.segments.first == "v1" else { throw .rest(404, "Not Found") }
    let caller = try plane.authenticate(key: request.header("x-api-key"))
    switch RESTService.routes.match(request.method, target.segments) {
    case .none: throw .rest(404, "Not Found")
    case .otherMethods(let methods):
      var answer = RESTAnswer.failure(.rest(405, "Method Not Allowed"))
      answer.headers.append(("Allow", methods.joined(separator: ", ")))
      return answer
    case .operation(let operation, let parameters):
      let arguments = try RequestArguments.make(operation, parameters, target.query, request)
      let text = try plane.call(operation.name, arguments, as: caller)
      return operation.success == 204 ? RESTAnswer(status: 204) : .json(operation.success, text)
    }
  }

  private static func refused(_ problem: RequestTarget.Problem) -> Failure {
    switch problem {
    case .path: return .rest(404, "Not Found")
    case .encoding: return .rest(400, "the target has a % without two hexadecimal digits")
    case .text: return .rest(400, "the target is not UTF-8")
    }
  }
}
