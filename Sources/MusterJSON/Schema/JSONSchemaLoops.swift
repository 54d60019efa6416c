/// Finds schemas that lead back to themselves without a step into the value: checking a value against one would never
/// end.
enum JSONSchemaLoops {
  private enum State { case new, open, done }

  static func check(_ compiler: JSONSchemaCompiler) throws(JSONSchemaError) {
    var states = [State](repeating: .new, count: compiler.rules.count)
    for start in compiler.rules.indices where states[start] == .new {
      var path: [(node: Int, next: [Int])] = [(start, compiler.rules[start].inPlace)]
      states[start] = .open
      while let last = path.popLast() {
        var next = last.next
        guard let target = next.popLast() else {
          states[last.node] = .done
          continue
        }
        path.append((last.node, next))
        switch states[target] {
        case .done: break
        case .open:
          throw JSONSchemaError(kind: .loop, keyword: "$ref", pointer: compiler.pointer(ofNode: target))
        case .new:
          states[target] = .open
          path.append((target, compiler.rules[target].inPlace))
        }
      }
    }
  }
}
