/// One page of a list, with the number of rows in the whole list.
package struct Page<Row> {
  package let rows: [Row]
  package let total: Int64

  package init(rows: [Row], total: Int64) {
    self.rows = rows
    self.total = total
  }
}

extension Page: Sendable where Row: Sendable {}

/// Which rows of a list are wanted.
package struct PageRequest: Sendable {
  package let offset: Int64
  package let count: Int64

  /// `page` from 1; the caller has checked the ranges, and what is out of them gives an empty page.
  package init(page: Int64, perPage: Int64) {
    let (offset, overflow) = (max(page, 1) - 1).multipliedReportingOverflow(by: max(perPage, 0))
    self.offset = overflow ? .max : offset
    count = max(perPage, 0)
  }
}
