import CMuster
import Glibc

/// The libraries that Muster opens when it first needs them.
enum LibraryChecks {
  private static let libraries: [(name: String, files: [String], need: String)] = [
    ("libcurl", ["libcurl.so.4"], "runs need it"),
    ("libmicrohttpd", ["libmicrohttpd.so.12"], "`muster serve` needs it"),
    ("libcrypto", ["libcrypto.so.3", "libcrypto.so.1.1"], "API keys need it"),
  ]

  static var findings: [Finding] {
    libraries.map { library in
      for file in library.files {
        if let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL) {
          let version = version(of: library.name, handle)
          return Finding(library.name, .good, version.isEmpty ? file : version)
        }
      }
      let why = dlerror().map { String(cString: $0) } ?? "cannot be opened"
      return Finding(library.name, library.name == "libcurl" ? .bad : .warning, "\(library.need); \(why)")
    }
  }

  private static func version(of name: String, _ handle: UnsafeMutableRawPointer) -> String {
    let functions = ["libcurl": "curl_version", "libmicrohttpd": "MHD_get_version"]
    typealias Version = @convention(c) () -> UnsafePointer<CChar>?
    typealias CryptoVersion = @convention(c) (Int32) -> UnsafePointer<CChar>?
    if let function = functions[name], let found = dlsym(handle, function) {
      return unsafeBitCast(found, to: Version.self)().map { String(cString: $0) } ?? ""
    }
    if name == "libcrypto", let found = dlsym(handle, "OpenSSL_version") {
      return unsafeBitCast(found, to: CryptoVersion.self)(0).map { String(cString: $0) } ?? ""
    }
    return ""
  }
}
