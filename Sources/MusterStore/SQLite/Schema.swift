/// The tables of the store, and the way from each version to the next.
///
/// A migration is never changed once it is released; a change is a new migration at the end.
enum Schema {
  /// "MUST": marks a file as a Muster store.
  static let applicationID: Int64 = 0x4d55_5354

  /// The version that this build writes, and the newest it reads.
  static var version: Int64 { Int64(migrations.count) }

  static let migrations: [StaticString] = [version1]

  /// Version 1.
  ///
  /// - `position` orders a list: agents keep theirs, a task gets a new one from the store's sequence with each change
  ///   that lists show.
  /// - `owners.since` is a position behind which all tasks stand that the process runs, see `RunningMark`.
  /// - `counts` holds the rows of a list per 256 positions, and under block -1 in all; it changes in the transaction
  ///   that changes the rows.
  /// - `agent_versions` holds the deployed versions that the working copy has departed from; until then the row in
  ///   `agents` is the version.
  /// - `tasks.forked_from` is the id of the task that a task goes on from, `forked_at` the last record that it has of that.
  /// - `deleted_subtasks` are those that were deleted while the task above, by its key, had not ended, by their
  ///   ids and the calls that they were to answer: it must not start them anew.
  /// - `journal.key` is the key of the task and the number of the record in one, see `JournalKey`; `task` and `sequence`
  ///   are read out of it, for people. The key of a task stands for (organization, task): `tasks` makes the pair unique.
  /// - `journal.role` marks the records that are messages of the conversation: 1 user, 2 assistant.
  /// - `keys.hash` is the SHA-256 of salt and secret; the secret itself is nowhere.
  /// - `rates` counts a key's requests in its current window of so many seconds.
  /// - `idempotency` remembers for a day what a call with a key of the caller's made: the thing, or the turn of a task;
  ///   `answer` once there is one.
  private static let version1: StaticString = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    INSERT INTO meta VALUES ('sequence', 0);

    CREATE TABLE organizations (
      id TEXT PRIMARY KEY,
      created_at INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE owners (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      process_id INTEGER NOT NULL,
      opened_at INTEGER NOT NULL,
      since INTEGER NOT NULL
    );

    CREATE TABLE counts (
      organization_id TEXT NOT NULL,
      list INTEGER NOT NULL,
      block INTEGER NOT NULL,
      rows INTEGER NOT NULL,
      PRIMARY KEY (organization_id, list, block)
    ) WITHOUT ROWID;

    CREATE TABLE agents (
      position INTEGER PRIMARY KEY,
      organization_id TEXT NOT NULL,
      id TEXT NOT NULL,
      revision INTEGER NOT NULL,
      version INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      document_version INTEGER NOT NULL,
      document TEXT NOT NULL,
      secrets TEXT,
      UNIQUE (id, organization_id)
    );
    CREATE INDEX agents_in_order ON agents (organization_id, position);

    CREATE TABLE agent_versions (
      key INTEGER PRIMARY KEY,
      organization_id TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      version INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      document_version INTEGER NOT NULL,
      document TEXT NOT NULL,
      secrets TEXT,
      UNIQUE (agent_id, organization_id, version)
    );

    CREATE TABLE tasks (
      key INTEGER PRIMARY KEY,
      organization_id TEXT NOT NULL,
      id TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      position INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      status INTEGER NOT NULL,
      internal_status TEXT,
      is_manually_stopped INTEGER NOT NULL,
      started_at INTEGER,
      finished_at INTEGER,
      turn INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      first_sequence INTEGER NOT NULL,
      result_sequence INTEGER,
      system_sequence INTEGER,
      owner INTEGER,
      fence INTEGER NOT NULL,
      title TEXT,
      user_id TEXT,
      parent_id TEXT,
      triggering_agent_id TEXT,
      prompt_tokens INTEGER,
      completion_tokens INTEGER,
      forked_from TEXT,
      forked_at INTEGER,
      UNIQUE (id, organization_id)
    );
    CREATE INDEX tasks_in_order ON tasks (organization_id, position);
    CREATE INDEX tasks_parked ON tasks (key) WHERE owner IS NULL AND status = 1;
    CREATE INDEX forks ON tasks (forked_from) WHERE forked_from IS NOT NULL;
    CREATE INDEX tasks_of_agent ON tasks (agent_id, organization_id, position);
    CREATE INDEX tasks_of_parent ON tasks (parent_id, organization_id) WHERE parent_id IS NOT NULL;

    CREATE TABLE deleted_subtasks (
      parent INTEGER NOT NULL,
      id TEXT NOT NULL,
      PRIMARY KEY (parent, id)
    ) WITHOUT ROWID;

    CREATE TABLE journal (
      key INTEGER PRIMARY KEY,
      task INTEGER AS (key >> 28),
      sequence INTEGER AS (key & 268435455),
      turn INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      format INTEGER NOT NULL,
      time INTEGER NOT NULL,
      role INTEGER,
      body TEXT NOT NULL,
      commands TEXT NOT NULL
    );

    CREATE TABLE keys (
      id TEXT PRIMARY KEY,
      organization_id TEXT NOT NULL,
      position INTEGER NOT NULL,
      name TEXT NOT NULL,
      salt TEXT NOT NULL,
      hash TEXT NOT NULL,
      agents TEXT,
      is_read_only INTEGER NOT NULL,
      can_manage_keys INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX keys_in_order ON keys (organization_id, position);

    CREATE TABLE rates (
      key_id TEXT NOT NULL,
      seconds INTEGER NOT NULL,
      window INTEGER NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (key_id, seconds)
    ) WITHOUT ROWID;

    CREATE TABLE idempotency (
      organization_id TEXT NOT NULL,
      operation TEXT NOT NULL,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      resource_id TEXT NOT NULL,
      turn INTEGER,
      answer TEXT,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (organization_id, operation, key)
    ) WITHOUT ROWID;
    CREATE INDEX idempotency_in_time ON idempotency (created_at);

    CREATE TABLE templates (
      id TEXT PRIMARY KEY,
      organization_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      document_version INTEGER NOT NULL,
      document TEXT NOT NULL
    ) WITHOUT ROWID;
    """
}
