import Glibc

/// Whether somebody listens at an address.
enum Reachability {
  private static let patienceMilliseconds: Int32 = 3_000

  static func finding(_ name: String, _ address: String) -> Finding {
    guard let place = place(address) else {
      return Finding(name, .bad, "\(printable(address)) is not an http or https address")
    }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(place.host, place.port, &hints, &found)
    guard failure == 0, let first = found else {
      return Finding(name, .bad, "\(place.host): \(String(cString: gai_strerror(failure)))")
    }
    defer { freeaddrinfo(first) }
    var problem: Int32 = 0
    var next: UnsafeMutablePointer<addrinfo>? = first
    while let here = next {
      problem = connect(here.pointee)
      if problem == 0 { return Finding(name, .good, printable(address)) }
      next = here.pointee.ai_next
    }
    return Finding(name, .bad, "\(place.host) port \(place.port): \(String(cString: strerror(problem)))")
  }

  /// 0, or an error number.
  private static func connect(_ address: addrinfo) -> Int32 {
    let descriptor = socket(
      address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue),
      address.ai_protocol)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&wait, 1, patienceMilliseconds) > 0 else { return ETIMEDOUT }
    var problem: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno
  }

  /// Host and port of an address; nil when it is none.
  private static func place(_ address: String) -> (host: String, port: String)? {
    for (scheme, usual) in [("http://", "80"), ("https://", "443")] where address.hasPrefix(scheme) {
      var authority = address.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
      if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
        let rest = authority[authority.index(after: end)...]
        let host = authority[authority.index(after: authority.startIndex)..<end]
        return (String(host), rest.hasPrefix(":") && rest.count > 1 ? String(rest.dropFirst()) : usual)
      }
      let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let host = parts.first, !host.isEmpty else { return nil }
      return (String(host), parts.count > 1 && !parts[1].isEmpty ? String(parts[1]) : usual)
    }
    return nil
  }

  /// The address without a name and password in it.
  private static func printable(_ address: String) -> String {
    for scheme in ["http://", "https://"] where address.hasPrefix(scheme) {
      let rest = address.dropFirst(scheme.count)
      let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let at = authority.lastIndex(of: "@") { return scheme + rest[rest.index(after: at)...] }
    }
    return address
  }
}
