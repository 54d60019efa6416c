import MusterJSON
import MusterSystem
import MusterTools

/// A tool of the host, with a will of its own.
final class SimulatedTool: ToolHandler, @unchecked Sendable {
  enum Kind: String, CaseIterable {
    /// It only reads.
    case look
    /// It may be called again with the same key.
    case set
    /// It may not, and nobody but a person can find out whether it was done.
    case pay
    /// It may not, and it can tell.
    case send
    /// As `pay`, and a person has to allow each call.
    case wipe
    /// As `pay`, and its calls wait to be read.
    case mail

    var needsApproval: Bool { self == .wipe }
    var isOnce: Bool {
      switch self {
      case .look, .set: return false
      case .pay, .send, .wipe, .mail: return true
      }
    }

    /// What the host tells of it, by the time that a call may take; read once, for all schedules.
    private static let specs = Kind.allCases.map { kind in
      timeouts.compactMap { milliseconds in
        do throws(ToolSpecError) { return try kind.spec(milliseconds) } catch { return nil }
      }
    }

    /// In milliseconds; the last one when all goes well.
    static let timeouts: [Int64] = [50, 400, 3_000, 10_000]

    static func spec(_ kind: Int, timeout: Int) -> ToolSpec? {
      specs[kind].indices.contains(timeout) ? specs[kind][timeout] : nil
    }

    private func spec(_ timeoutMilliseconds: Int64) throws(ToolSpecError) -> ToolSpec {
      let flags: String
      switch self {
      case .look: flags = #","read_only":true"#
      case .set: flags = #","idempotent":true"#
      case .send: flags = #","probe":true"#
      case .pay, .wipe, .mail: flags = ""
      }
      return try ToolSpec(
        JSON.trusted(
          Array(
            #"""
            {"name":"\#(rawValue)","description":"A tool.","timeout_ms":\#(timeoutMilliseconds),"parameters":\#
            {"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}\#(flags)}
            """#.utf8)))
    }
  }

  private let kind: Kind
  private let host: Host
  private let world: World
  let isQueue: Bool

  init(_ kind: Kind, host: Host) {
    self.kind = kind
    self.host = host
    world = host.world
    isQueue = kind == .mail
  }

  func call(_ callID: String, _ json: [UInt8]) {
    let call = JSON.trusted(json).detached
    if !isQueue { return perform(callID, call) }
    Fiber.spawn("reader", in: host.number) { [self] in
      Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 200))
      if host.tools.read(callID) { perform(callID, call) }
    }
  }

  func cancel(_ callID: String) { world.note("tool \(kind) is told that nobody waits for \(callID)") }

  func release() {}

  // MARK: - What it does

  private enum Manner {
    case works
    case worksSlowly
    case worksAndFails
    case worksAndIsSilent
    case fails
    case isSilent
  }

  private func perform(_ callID: String, _ call: JSON) {
    if call["probe"]?.bool == true { return probe(callID) }
    world.note("tool \(kind) is called: \(callID)")
    world.effects.called(callID, kind, call)
    count(callID, call)
    let manner: Manner =
      world.isUnlucky()
      ? world.dice.pick([.worksSlowly, .worksAndFails, .worksAndIsSilent, .fails, .isSilent]) : .works
    if world.dice.percent(50) { rest() }
    switch manner {
    case .fails: return reply(callID, .string("it failed"), isError: true)
    case .isSilent: return
    case .worksSlowly: Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 4_000))
    case .works, .worksAndFails, .worksAndIsSilent: break
    }
    // A plane that closes waits for its callbacks, but not for who reads calls from a queue: where others may go on with
    // the run, such a tool that is not wanted any more keeps still.
    if isQueue, !world.plan.neighbours.isEmpty, host.tools.isCancelled(callID) { return }
    world.effects.act(callID)
    world.note("tool \(kind) has done it: \(callID)")
    if world.dice.percent(50) { rest() }
    switch manner {
    case .worksAndFails: reply(callID, .string("it failed afterwards"), isError: true)
    case .worksAndIsSilent: return
    default: reply(callID, .string("did \(callID)"), isError: false)
    }
  }

  private func rest() { Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 300)) }

  /// Holds the calls of a turn against its limits.
  private func count(_ callID: String, _ call: JSON) {
    guard let number = call["arguments"]?["turn"]?.int64, let turn = world.turn(Int(number)) else {
      return world.violate("\(kind) was called for no turn")
    }
    if !turn.calls.contains(callID) { turn.calls.append(callID) }
    for most in [turn.toolCalls, turn.toolCallsAnswered].compactMap({ $0 }) where turn.calls.count > most {
      world.violate("\(turn.prompt) may make \(most) calls of tools, and has made \(turn.calls.count)")
    }
    world.counts.toolCalls += 1
  }

  private func probe(_ callID: String) {
    world.note("tool \(kind) is asked about \(callID)")
    world.counts.probes += 1
    rest()
    if world.isUnlucky() {
      switch world.dice.below(3) {
      case 0: return
      case 1: return reply(callID, .string("it is not known"), isError: true, isProbe: true)
      default: return reply(callID, .null, isError: false, isProbe: true)
      }
    }
    let isDone = world.effects.isDone(callID)
    if !isDone { world.effects.clear(callID) }
    reply(
      callID, JSON.trusted(Array(#"{"done":\#(isDone),"result":"did \#(callID)"}"#.utf8)), isError: false,
      isProbe: true)
  }

  private func reply(_ callID: String, _ result: JSON, isError: Bool, isProbe: Bool = false) {
    // Nobody may wait any more.
    do throws(ToolRegistryError) { try host.tools.reply(callID, result, isError: isError) } catch {}
    // The call that follows upon a probe has the same id.
    guard !isProbe, world.dice.percent(5) else { return }
    do throws(ToolRegistryError) {
      try host.tools.reply(callID, result, isError: isError)
      world.violate("two answers to \(callID) were taken")
    } catch {}
  }
}
