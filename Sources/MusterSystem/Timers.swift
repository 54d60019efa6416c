/// Jobs with a moment, the earliest first: a binary heap. Of those that were called off nothing stays but a number, and
/// of these no more than there are others.
struct Timers {
  private struct Entry {
    let moment: Int64
    let number: Int
  }

  private var heap: [Entry] = []
  private var jobs: [Int: any PoolJob] = [:]
  private var lastNumber = 0

  var isEmpty: Bool { jobs.isEmpty }

  /// The earliest moment; nil when there is none. It may be one that was called off.
  var next: Int64? { jobs.isEmpty ? nil : heap.first?.moment }

  /// Adds a job; gives its number, and whether nothing is earlier.
  mutating func add(_ job: any PoolJob, at moment: Int64) -> (number: Int, isNext: Bool) {
    lastNumber &+= 1
    jobs[lastNumber] = job
    push(Entry(moment: moment, number: lastNumber))
    return (lastNumber, heap.first?.number == lastNumber)
  }

  mutating func remove(_ number: Int) {
    guard jobs.removeValue(forKey: number) != nil else { return }
    guard heap.count > 64, heap.count > 2 * jobs.count else { return }
    let left = heap.filter { jobs[$0.number] != nil }
    heap.removeAll(keepingCapacity: false)
    for entry in left { push(entry) }
  }

  /// Takes out the jobs whose moment has come, the earliest first.
  mutating func takeDue(_ now: Int64) -> [any PoolJob] {
    var due: [any PoolJob] = []
    while let first = heap.first, first.moment <= now || jobs[first.number] == nil {
      pop()
      if let job = jobs.removeValue(forKey: first.number) { due.append(job) }
    }
    return due
  }

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[place].moment < heap[parent].moment else { return }
      heap.swapAt(place, parent)
      place = parent
    }
  }

  private mutating func pop() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    heap[0] = last
    var place = 0
    while true {
      var smallest = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < heap.count && heap[child].moment < heap[smallest].moment {
        smallest = child
      }
      if smallest == place { return }
      heap.swapAt(place, smallest)
      place = smallest
    }
  }
}
