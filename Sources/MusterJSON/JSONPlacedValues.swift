/// Values by place, for objects of which few members are given: in the order of the places.
package struct JSONPlacedValues: Sendable {
  package struct Entry: Sendable {
    package let place: Int
    package fileprivate(set) var value: JSON
  }

  package private(set) var entries: [Entry] = []

  package init() { entries.reserveCapacity(16) }

  /// The value at a place. To set nil does nothing: what was given stays given.
  package subscript(place: Int) -> JSON? {
    get {
      for entry in entries where entry.place == place { return entry.value }
      return nil
    }
    set {
      guard let newValue else { return }
      var index = entries.count
      while index > 0, entries[index - 1].place >= place { index -= 1 }
      if index < entries.count, entries[index].place == place {
        entries[index].value = newValue
      } else {
        entries.insert(Entry(place: place, value: newValue), at: index)
      }
    }
  }
}
