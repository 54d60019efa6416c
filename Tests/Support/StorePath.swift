package import Foundation

/// A path for a store in a folder of its own, which goes away with this object.
package final class StorePath: Sendable {
  package let folder: URL
  package var path: String { folder.appendingPathComponent("agents.db").path }

  package init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}
