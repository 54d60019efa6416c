/// Which addresses a request may connect to.
///
/// A restricted request connects to public addresses, and to what was allowed besides. Checked is the address of every
/// connection at the moment at which it is made, so that neither the notation of a URL nor what a name server answers
/// matters.
package struct NetworkPolicy: Sendable, Equatable {
  /// Any address.
  package static let open = NetworkPolicy(isOpen: true, allowances: [], hosts: [])
  /// Public addresses only.
  package static let `public` = NetworkPolicy(isOpen: false, allowances: [], hosts: [])

  package let isOpen: Bool
  let allowances: NetworkAllowances
  private let hosts: [NetworkHost]

  private init(isOpen: Bool, allowances: NetworkAllowances, hosts: [NetworkHost]) {
    self.isOpen = isOpen
    self.allowances = allowances
    self.hosts = hosts
  }

  /// An entry that is nothing that can be allowed.
  package struct UnknownEntry: Error, Equatable {
    package let entry: String
  }

  /// Public addresses, and what is allowed besides: `loopback`, `private`, and hosts, each with or without a port:
  /// `models.example.org:8080`, `10.0.0.7`, `[fd00::7]:8080`. A host that is allowed may have any address; it is a name
  /// or an address as it stands in a URL, not what another name leads to.
  package init(allowing entries: [String]) throws(UnknownEntry) {
    var allowances: NetworkAllowances = []
    var hosts: [NetworkHost] = []
    for entry in entries {
      switch entry {
      case "loopback": allowances.insert(.loopback)
      case "private": allowances.insert(.private)
      // Words for whole policies, and most likely no hosts.
      case "open", "public": throw UnknownEntry(entry: entry)
      default:
        guard let host = NetworkHost(entry) else { throw UnknownEntry(entry: entry) }
        hosts.append(host)
      }
    }
    self.init(isOpen: false, allowances: allowances, hosts: hosts)
  }

  /// What of it matters for one host.
  enum Scope: Sendable, Equatable {
    /// Any address: all hosts under an open policy, and those that are allowed by name.
    case any
    case restricted(NetworkAllowances)
  }

  /// The scope of a request to this host.
  func scope(of host: NetworkHost) -> Scope {
    isOpen || hosts.contains { $0.includes(host) } ? .any : .restricted(allowances)
  }

  // MARK: - As a text

  /// `open`, or `public` and what is allowed besides, with commas between.
  package var text: String {
    if isOpen { return "open" }
    var parts = ["public"]
    if allowances.contains(.loopback) { parts.append("loopback") }
    if allowances.contains(.private) { parts.append("private") }
    for host in hosts { parts.append(host.text) }
    return parts.joined(separator: ",")
  }

  /// Reads `text` back; nil when it is none.
  package init?(text: String) {
    if text == "open" {
      self = .open
      return
    }
    let parts = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
      String(decoding: Array($0), as: UTF8.self)
    }
    guard parts.first == "public" else { return nil }
    do throws(UnknownEntry) {
      try self.init(allowing: Array(parts.dropFirst()))
    } catch {
      return nil
    }
  }
}

/// The kinds of addresses that may be allowed as a whole.
struct NetworkAllowances: OptionSet, Sendable {
  let rawValue: UInt32
  static let loopback = NetworkAllowances(rawValue: 1)
  static let `private` = NetworkAllowances(rawValue: 2)
}
