/// The schemas that belong to no single area.
enum SharedSchemas {
  /// A page of a list.
  static func page(of component: String) -> String {
    ##"{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/\##(component)"}},"##
      + #""total":{"type":"integer"},"page":{"type":"integer"},"per_page":{"type":"integer"},"total_pages":{"type":"integer"}},"#
      + #""required":["items","total","page","per_page","total_pages"]}"#
  }

  static let all: [(name: String, text: String)] = [
    (
      "ValidationError",
      """
      {"type":"object","properties":{"loc":{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"integer"}]}},"msg":{"type":\
      "string"},"type":{"type":"string"}},"required":["loc","msg","type"]}
      """
    ),
    (
      "HTTPValidationError",
      """
      {"type":"object","properties":{"detail":{"type":"array","items":{"$ref":"#/components/schemas/ValidationError"}}},\
      "required":["detail"]}
      """
    ),
    (
      "Error",
      """
      {"type":"object","properties":{"detail":{"description":"What is wrong; for a call that ended with its task also the task's id.",\
      "anyOf":[{"type":"string"},{"type":"object","properties":{"message":{"type":"string"},"task_id":{"type":"string"}},"required":\
      ["message","task_id"]}]}},"required":["detail"]}
      """
    ),
  ]
}
