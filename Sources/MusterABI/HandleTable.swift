import MusterSystem

/// Turns objects into handles that are looked up and never dereferenced: a slot, a generation, and a tag in one pointer-sized number.
///
/// Using a handle that was closed, or that never was one, finds nothing. The tag is odd, so that no pointer to real memory looks like a handle.
final class HandleTable<Object: AnyObject>: @unchecked Sendable {
  private static var slotBits: UInt { 24 }

  private struct Slot {
    var generation: UInt
    var object: Object?
  }

  private let tag: UInt
  private let lock = Lock()
  private var slots: [Slot] = []
  private var free: [Int] = []

  /// `tag`: an odd number below 256 that tells the handles of one table from those of another.
  init(tag: UInt) {
    self.tag = tag
    lock.keepThroughForks()
  }

  /// A handle for the object; nil when 16 million are open.
  func insert(_ object: Object) -> OpaquePointer? {
    lock.withLock {
      let index: Int
      if let reused = free.popLast() {
        index = reused
        slots[index].object = object
      } else {
        guard slots.count < 1 << HandleTable.slotBits else { return nil }
        index = slots.count
        slots.append(Slot(generation: 1, object: object))
      }
      let number = slots[index].generation << 32 | UInt(index) << 8 | tag
      return OpaquePointer(bitPattern: number)
    }
  }

  /// The object of a handle.
  func find(_ handle: OpaquePointer?) -> Object? {
    lock.withLock { index(of: handle).flatMap { slots[$0].object } }
  }

  /// Ends a handle and gives its object; nil when it had ended before.
  func remove(_ handle: OpaquePointer?) -> Object? {
    lock.withLock {
      guard let index = index(of: handle), let object = slots[index].object else { return nil }
      slots[index].object = nil
      slots[index].generation = (slots[index].generation + 1) & 0x7fff_ffff
      free.append(index)
      return object
    }
  }

  private func index(of handle: OpaquePointer?) -> Int? {
    guard let handle else { return nil }
    let number = UInt(bitPattern: handle)
    let index = Int((number >> 8) & ((1 << HandleTable.slotBits) - 1))
    guard number & 0xff == tag, index < slots.count, slots[index].generation == number >> 32 else { return nil }
    return index
  }
}
