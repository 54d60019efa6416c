import Foundation
import TestSupport
import Testing

@testable import MusterStore

// A process of its own for each test: a fork copies only the thread that forks, and the tests of other suites run in
// many.
@Suite("A forked child")
struct ForkTests {
  /// Swift does not show `fork` on purpose; hosts fork all the same.
  static func fork() -> Int32 {
    guard let symbol = dlsym(nil, "fork") else { return -1 }
    return unsafeBitCast(symbol, to: (@convention(c) () -> Int32).self)()
  }

  /// Runs `body` in a child; true when it gave true.
  private static func inChild(_ body: () throws -> Bool) -> Bool {
    let child = fork()
    if child == 0 {
      alarm(20)
      _exit((try? body()) == true ? 0 : 1)
    }
    var status: Int32 = 0
    return waitpid(child, &status, 0) == child && status == 0
  }

  @Test("A child that opens the file of its parent gets a store of its own, and what either writes stays")
  func ownStore() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      let parent = try StoreRegistry.open(path)
      try parent.makeScratchTable()
      _ = try parent.scratch()
      _ = try parent.changeNumber()
      let isRight = ForkTests.inChild {
        let child = try StoreRegistry.open(path)
        guard child !== parent, child.owner != parent.owner, child.isAlive(parent.owner) else { return false }
        try child.insertScratch(1, owed: true)
        // The inherited object is of no use to the child.
        guard (try? parent.insertScratch(2)) == nil, (try? parent.scratch()) == nil else { return false }
        StoreRegistry.close(parent)
        StoreRegistry.close(child)
        return true
      }
      try parent.insertScratch(3, owed: true)
      let values = try parent.scratch()
      StoreRegistry.close(parent)
      let reopened = try StoreRegistry.open(path)
      let kept = try reopened.scratch()
      StoreRegistry.close(reopened)
      folder.exit(isRight && values == [1, 3] && kept == [1, 3] ? 0 : 1)
    }
  }

  @Test("What a child writes after its parent has closed the store is there")
  func childOutlivesStore() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      let parent = try StoreRegistry.open(path)
      try parent.makeScratchTable()
      var ends: [Int32] = [0, 0]
      var back: [Int32] = [0, 0]
      guard pipe(&ends) == 0, pipe(&back) == 0 else { folder.exit(2) }
      let pid = ForkTests.fork()
      var byte: UInt8 = 0
      if pid == 0 {
        alarm(20)
        guard let child = try? StoreRegistry.open(path), (try? child.insertScratch(1, owed: true)) != nil else {
          _exit(1)
        }
        write(back[1], &byte, 1)
        read(ends[0], &byte, 1)
        guard (try? child.insertScratch(2, owed: true)) != nil else { _exit(1) }
        // Without saying good-bye.
        kill(getpid(), SIGKILL)
      }
      read(back[0], &byte, 1)
      StoreRegistry.close(parent)
      write(ends[1], &byte, 1)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      let reopened = try StoreRegistry.open(path)
      let kept = try reopened.scratch()
      StoreRegistry.close(reopened)
      folder.exit(status == SIGKILL && kept == [1, 2] ? 0 : 1)
    }
  }

  @Test("A fork waits until a transaction is over, and the child opens the file and sees it")
  func inUse() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      let parent = try StoreRegistry.open(path)
      try parent.makeScratchTable()
      let isWriting = Shared(false)
      let group = DispatchGroup()
      group.enter()
      Thread {
        try? parent.write(owed: false) { database throws(StoreError) in
          isWriting.change { $0 = true }
          usleep(200_000)
          try database.execute("INSERT INTO scratch (value) VALUES (1)")
        }
        group.leave()
      }.start()
      while !isWriting.value { usleep(1000) }
      let isRight = ForkTests.inChild {
        let child = try StoreRegistry.open(path)
        return try child.scratch() == [1]
      }
      group.wait()
      let values = try parent.scratch()
      folder.exit(isRight && values == [1] ? 0 : 1)
    }
  }
}
