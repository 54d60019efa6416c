/// Every operation, by name.
package enum OperationTable {
  /// All operations in the order of the documentation.
  package static let all: [Operation] =
    AgentOperations.all + TemplateOperations.all + TaskOperations.all + PruneOperation.all + ProviderOperations.all
    + KeyOperations.all + FirstKeyOperation.all + StoreOperations.all

  private static let byName: [String: Operation] = {
    var table: [String: Operation] = [:]
    for operation in all { table[operation.name] = operation }
    return table
  }()

  package static func operation(_ name: String) -> Operation? { byName[name] }
}
