import CMuster
import Testing

@testable import MusterABI

@Suite("What hosts have compiled in")
struct LayoutTests {
  @Test("muster_host has the size and the offsets that C and ctypes see")
  func host() {
    #expect(MemoryLayout<muster_host>.size == 40)
    #expect(MemoryLayout<muster_host>.offset(of: \.struct_size) == 0)
    #expect(MemoryLayout<muster_host>.offset(of: \.user_data) == 8)
    #expect(MemoryLayout<muster_host>.offset(of: \.log) == 16)
    #expect(MemoryLayout<muster_host>.offset(of: \.secrets_key) == 24)
    #expect(MemoryLayout<muster_host>.offset(of: \.release) == 32)
  }

  @Test("muster_event has the size and the offsets that C, C++ and ctypes see")
  func event() {
    #expect(MemoryLayout<muster_event>.size == 64 && MemoryLayout<muster_event>.stride == 64)
    #expect(MemoryLayout<muster_event>.offset(of: \.struct_size) == 0)
    #expect(MemoryLayout<muster_event>.offset(of: \.ticket) == 8)
    #expect(MemoryLayout<muster_event>.offset(of: \.user_data) == 16)
    #expect(MemoryLayout<muster_event>.offset(of: \.kind) == 24)
    #expect(MemoryLayout<muster_event>.offset(of: \.status) == 28)
    #expect(MemoryLayout<muster_event>.offset(of: \.sequence) == 32)
    #expect(MemoryLayout<muster_event>.offset(of: \.json) == 40)
    #expect(MemoryLayout<muster_event>.offset(of: \.json_len) == 48)
    #expect(MemoryLayout<muster_event>.offset(of: \.error) == 56)
  }

  @Test("Statuses and tickets have the widths of the header")
  func widths() {
    #expect(MemoryLayout<muster_status>.size == 4 && muster_status.isSigned)
    #expect(MemoryLayout<muster_ticket>.size == 8 && !muster_ticket.isSigned)
  }
}

@Suite("Handles")
struct HandleTests {
  private final class Thing {}

  @Test("A handle finds its object until it is removed, and nothing afterwards")
  func life() {
    let table = HandleTable<Thing>(tag: 0xa1)
    let first = Thing()
    let handle = table.insert(first)
    #expect(handle != nil && table.find(handle) === first)
    #expect(table.remove(handle) === first)
    #expect(table.find(handle) == nil && table.remove(handle) == nil)
    // The slot is used again, under another handle.
    let second = Thing()
    let next = table.insert(second)
    #expect(next != handle && table.find(next) === second && table.find(handle) == nil)
  }

  @Test("Garbage and the handles of another table find nothing")
  func garbage() {
    let table = HandleTable<Thing>(tag: 0xa1)
    let handle = table.insert(Thing())
    #expect(HandleTable<Thing>(tag: 0xa3).find(handle) == nil)
    for bits: UInt in [0, 1, 0xa1, 0xdead_beef, 0x1_0000_01a1, .max, UInt(1) << 63] {
      let found = table.find(OpaquePointer(bitPattern: bits))
      #expect(found == nil || OpaquePointer(bitPattern: bits) == handle)
    }
  }
}
