import MusterSystem

/// Which certificate authorities are trusted, if not the system's.
struct HTTPCertificates: Sendable {
  let file: String?
  let folder: String?

  /// As the curl program and OpenSSL have it: `CURL_CA_BUNDLE`, else `SSL_CERT_FILE`; and `SSL_CERT_DIR`.
  static func fromEnvironment() -> HTTPCertificates {
    HTTPCertificates(
      file: Environment.value("CURL_CA_BUNDLE") ?? Environment.value("SSL_CERT_FILE"),
      folder: Environment.value("SSL_CERT_DIR"))
  }
}
