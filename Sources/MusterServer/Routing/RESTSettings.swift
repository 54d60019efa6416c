/// What a REST service is told.
package struct RESTSettings: Sendable {
  package init() {}
}
