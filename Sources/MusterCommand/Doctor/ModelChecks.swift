import Glibc

/// The model that the environment names: whether its address takes connections, and whether there is a key for it.
enum ModelChecks {
  static func findings() throws(Failure) -> [Finding] {
    let name = try Plane.environment("MUSTER_MODEL")
    let own = try Plane.environment("MUSTER_MODEL_BASE")
    let general = try Plane.environment("OPENAI_BASE_URL")
    let hasKey = try Plane.environment("OPENAI_API_KEY") != nil
    var findings: [Finding] = []
    if let base = own ?? general {
      findings.append(Reachability.finding("model address", base))
    } else if hasKey {
      findings.append(Reachability.finding("model address", "https://api.openai.com/v1"))
    } else {
      findings.append(
        Finding("model address", .warning, "neither MUSTER_MODEL_BASE nor OPENAI_BASE_URL nor OPENAI_API_KEY is set"))
    }
    findings.append(
      Finding("model key", hasKey ? .good : .warning, "OPENAI_API_KEY is \(hasKey ? "set" : "not set")"))
    if let name { findings.append(Finding("model", .good, name)) }
    return findings
  }
}
