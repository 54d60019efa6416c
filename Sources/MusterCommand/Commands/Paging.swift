/// What lists have in common.
enum Paging {
  static let options: [Command.Option] = [
    .init("page", "N", "The page, from 1."), .init("per-page", "N", "Items a page, at most 50."),
  ]

  static func arguments(_ options: Options) throws(Failure) -> Value {
    guard let arguments = Value.object() else { throw .outOfMemory }
    if let page = try options.integer("page") { arguments.set("page", page) }
    if let perPage = try options.integer("per-page") { arguments.set("per_page", perPage) }
    return arguments
  }

  /// Tells people that there is more than the page.
  static func note(_ page: Value, _ things: String) {
    if page.integer("total_pages") > 1 {
      Output.note("page \(page.integer("page")) of \(page.integer("total_pages")), \(page.integer("total")) \(things)")
    }
  }
}
