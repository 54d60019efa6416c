import CMuster
import Glibc

/// `muster doctor`: looks whether what Muster needs is there.
enum DoctorCommand {
  static let command = Command(
    "doctor", "Look whether what Muster needs is there: libraries, store, model, limits.",
    details: """
      Makes no store, and shows no key. The model is the one that the environment names. Fails if something does not work; \
      a warning is no failure.
      """, run: run)

  @Sendable private static func run(_ session: Session) throws(Failure) -> Int32 {
    var findings = try versions()
    findings += LibraryChecks.findings
    findings += session.isRemote ? remote(session) : StoreChecks.findings(session)
    findings += try ModelChecks.findings()
    findings += LimitChecks.findings
    let isGood = !findings.contains { $0.state == .bad }
    if session.isJSON { try printJSON(findings, isGood) } else { show(findings) }
    return isGood ? ExitCode.success : ExitCode.failed
  }

  private static func show(_ findings: [Finding]) {
    var table = Table([
      Table.Column(heading: "CHECK", keepsWhole: true),
      Table.Column(heading: "STATE", keepsWhole: true, style: Style.status), Table.Column(heading: "FOUND"),
    ])
    for finding in findings { table.add([finding.name, finding.state.rawValue, finding.detail]) }
    // Not cut: what was found is what people want to read.
    Output.styled(table.text(width: .max))
  }

  private static func printJSON(_ findings: [Finding], _ isGood: Bool) throws(Failure) {
    guard let answer = Value.object(), let checks = Value.array([]) else { throw .outOfMemory }
    for finding in findings {
      let check = try Value.object("name", finding.name)
      check.set("state", finding.state.rawValue)
      check.set("detail", finding.detail)
      checks.append(check)
    }
    answer.set("ok", isGood)
    answer.set("checks", checks)
    Output.text(answer.text + "\n")
  }

  private static func versions() throws(Failure) -> [Finding] {
    let library = String(cString: muster_version())
    var findings = [
      Finding(
        "muster", library == MUSTER_VERSION ? .good : .warning,
        library == MUSTER_VERSION ? library : "the library is \(library), the command was built for \(MUSTER_VERSION)")
    ]
    let build = try Value.parse(String(cString: muster_build_info()))
    for name in ["sqlite", "jansson"] {
      findings.append(Finding(name, .good, build.member("libraries")?.string(name) ?? ""))
    }
    return findings
  }

  /// Whether the server answers, and takes the key.
  private static func remote(_ session: Session) -> [Finding] {
    let hasKey = getenv("MUSTER_API_KEY").map { $0.pointee != 0 } ?? false
    var findings = [Finding("API key", hasKey ? .good : .warning, "MUSTER_API_KEY is \(hasKey ? "set" : "not set")")]
    do throws(Failure) {
      guard let arguments = Value.object() else { throw .outOfMemory }
      arguments.set("per_page", 1)
      _ = try session.open().answer("agents.list", arguments, timeoutMilliseconds: 10_000)
      findings.append(Finding("server", .good, session.target))
    } catch {
      findings.append(Finding("server", .bad, "\(session.target): \(error.message)"))
    }
    return findings
  }
}
