/// First in, first out.
package struct Queue<Element> {
  private var elements: [Element?] = []
  private var first = 0

  package init() {}

  package var count: Int { elements.count - first }
  package var isEmpty: Bool { count == 0 }

  package mutating func append(_ element: Element) { elements.append(element) }

  package mutating func popFirst() -> Element? {
    guard first < elements.count else { return nil }
    let element = elements[first]
    elements[first] = nil
    first += 1
    if first == elements.count {
      // What one burst needed is not kept for ever, nor what is as soon had again.
      elements.removeAll(keepingCapacity: first > 4 && first <= 1024)
      first = 0
    } else if first >= 1024, first > elements.count / 2 {
      elements.removeFirst(first)
      first = 0
    }
    return element
  }
}
