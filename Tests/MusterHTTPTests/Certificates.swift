import Foundation
import TestSupport

/// A certificate authority for one test, and what it signs.
final class Certificates {
  private let folder: TemporaryFolder
  var authority: String { folder.path + "/ca.pem" }

  init() throws {
    folder = try TemporaryFolder()
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=Tests", "-keyout", "ca.key", "-out", "ca.pem")
  }

  /// The arguments of a model server with a certificate for `host`.
  func arguments(host: String) throws -> [String] {
    let name = folder.path + "/" + host
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(host)", "-keyout",
      "\(name).key", "-out", "\(name).csr")
    try "subjectAltName=IP:\(host)\n".write(toFile: "\(name).ext", atomically: true, encoding: .utf8)
    try openssl(
      "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
      "-extfile", "\(name).ext", "-out", "\(name).pem")
    return ["--tls-cert", "\(name).pem", "--tls-key", "\(name).key"]
  }

  /// A folder as SSL_CERT_DIR wants it.
  func hashedFolder() throws -> String {
    let path = folder.path + "/authorities"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: authority, toPath: path + "/ca.pem")
    try openssl("rehash", path)
    return path
  }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ModelServer.Failure(text: "openssl \(arguments.joined(separator: " "))")
    }
  }
}

/// Removes what the machine may have set.
func clearEnvironment() {
  for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] { unsetenv(name) }
  for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
    unsetenv(name)
    unsetenv(name.uppercased())
  }
}

/// Ends the process with an error when something is not so.
func must(_ condition: Bool, line: Int = #line) throws {
  if !condition { throw ModelServer.Failure(text: "not so: line \(line)") }
}
