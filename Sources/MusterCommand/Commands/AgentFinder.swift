/// Finds the agent that a person means.
enum AgentFinder {
  /// The id of the agent that `text` names: its id, or the name of exactly one agent.
  static func find(_ text: String, in plane: Plane) throws(Failure) -> String {
    do throws(Plane.CallFailure) {
      _ = try plane.call("agents.get", try arguments(text))
      return text
    } catch {
      // 422: what cannot be an id may still be a name.
      guard error.httpStatus == 404 || error.httpStatus == 422 else { throw error.failure }
    }
    let found = try named(text, in: plane)
    guard let id = found.first else { throw .operation("no agent has the id or the name \(text)") }
    guard found.count == 1 else {
      throw .operation("\(found.count) agents have the name \(text); use an id: \(found.joined(separator: ", "))")
    }
    return id
  }

  private static func arguments(_ id: String) throws(Plane.CallFailure) -> String {
    do throws(Failure) {
      return try Value.object("agent_id", id).text
    } catch {
      throw Plane.CallFailure(status: 0, httpStatus: 0, message: error.message)
    }
  }

  private static func named(_ name: String, in plane: Plane) throws(Failure) -> [String] {
    var found: [String] = []
    var pages: Int64 = 1
    var number: Int64 = 1
    while number <= pages {
      guard let arguments = Value.object() else { throw .outOfMemory }
      arguments.set("page", number)
      arguments.set("per_page", 50)
      let page = try Value.parse(try plane.answer("agents.list", arguments))
      for agent in page.member("items")?.items ?? [] where agent.string("name") == name {
        if let id = agent.string("id") { found.append(id) }
      }
      pages = page.integer("total_pages")
      number += 1
    }
    return found
  }
}
