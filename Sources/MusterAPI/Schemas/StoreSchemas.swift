/// The schemas of the operations on the store itself, as JSON text by name.
enum StoreSchemas {
  static let all: [(name: String, text: String)] = [
    (
      "StoreCheck",
      """
      {"type":"object","description":"What a check of the store has found.","properties":{"ok":{"type":"boolean"},"agents":{"type":\
      "integer"},"tasks":{"type":"integer"},"records":{"type":"integer","description":"Records in the journal."},"bytes":{"type":"integer"},\
      "problem_count":{"type":"integer"},"problems":{"type":"array","items":{"type":"string"},"description":"A line for each, at most 100."}},\
      "required":["ok","agents","tasks","records","bytes","problem_count","problems"]}
      """
    ),
    (
      "BackUpStore",
      """
      {"type":"object","properties":{"path":{"type":"string","minLength":1,"maxLength":4096,"description":"The new file; one that is there \
      is refused."}},"required":["path"]}
      """
    ),
    (
      "StoreBackup",
      """
      {"type":"object","description":"A copy of the store.","properties":{"path":{"type":"string"},"bytes":{"type":"integer"}},"required":\
      ["path","bytes"]}
      """
    ),
    (
      "PruneTasks",
      """
      {"type":"object","description":"Which tasks to remove for good.","properties":{"before":{"type":"string","format":"date-time",\
      "description":"Tasks that ended and were last changed before this time."},"agent_id":{"type":["string","null"],"minLength":1,\
      "description":"Only tasks of this agent."}},"required":["before"]}
      """
    ),
    (
      "PrunedTasks",
      """
      {"type":"object","properties":{"deleted":{"type":"integer","description":"How many tasks were removed, sub-tasks included."}},\
      "required":["deleted"]}
      """
    ),
  ]
}
