-- What holds in every store, whatever happened to its processes. Each query must give no rows. The comment above a
-- query names what it found.

-- the file is damaged
SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok';

-- an agent without its deployed version (the working copy is it until it departs)
SELECT id FROM agents a WHERE json_extract(document, '$.has_pending_changes') AND NOT EXISTS (
  SELECT 1 FROM agent_versions v
  WHERE v.agent_id = a.id AND v.organization_id = a.organization_id AND v.version = a.version);

-- an agent whose versions have a gap (the first is 2)
SELECT id FROM agents a WHERE version - 2 <> (
  SELECT count(*) FROM agent_versions v
  WHERE v.agent_id = a.id AND v.organization_id = a.organization_id AND v.version >= 2 AND v.version < a.version);

-- a row and its document disagree about the version
SELECT id FROM agents WHERE json_extract(document, '$.version') <> version
UNION ALL SELECT agent_id FROM agent_versions WHERE json_extract(document, '$.version') <> version;

-- a version of no agent
SELECT agent_id FROM agent_versions v WHERE NOT EXISTS (
  SELECT 1 FROM agents a WHERE a.id = v.agent_id AND a.organization_id = v.organization_id);

-- a task of no agent
SELECT id FROM tasks t WHERE NOT EXISTS (
  SELECT 1 FROM agents a WHERE a.id = t.agent_id AND a.organization_id = t.organization_id);

-- a journal of no task
SELECT DISTINCT task FROM journal j WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.key = j.task);

-- a journal with a gap, or one that its task does not know
SELECT id FROM tasks t WHERE (SELECT coalesce(min(sequence), 0) || ' ' || coalesce(max(sequence), 0) || ' ' || count(*)
  FROM journal j WHERE j.task = t.key) <> '1 ' || sequence || ' ' || sequence;

-- turns that do not count from 1 to the task's own
SELECT id FROM tasks t WHERE (SELECT min(turn) || ' ' || max(turn) || ' ' || count(DISTINCT turn)
  FROM journal j WHERE j.task = t.key) <> '1 ' || turn || ' ' || turn;

-- a task that is left unfinished
SELECT id FROM tasks WHERE status IN (1, 2, 3) OR finished_at IS NULL OR result_sequence IS NULL;

-- a finished task that somebody owns
SELECT id FROM tasks WHERE status IN (4, 5, 6, 7) AND owner IS NOT NULL;

-- a result that is not the last record of its task
SELECT id FROM tasks WHERE result_sequence <> sequence;

-- turns that do not each have one end
SELECT id FROM tasks t WHERE turn <> (
  SELECT count(DISTINCT turn) FROM journal j WHERE j.task = t.key AND CAST(j.commands AS TEXT) LIKE '%"finish"%')
UNION ALL SELECT id FROM tasks t WHERE turn <> (
  SELECT count(*) FROM journal j WHERE j.task = t.key AND CAST(j.commands AS TEXT) LIKE '%"finish"%');

-- an answered turn in which not each call of a tool has one result
SELECT t.id FROM tasks t JOIN journal j ON j.task = t.key AND j.turn = t.turn WHERE t.status = 6 GROUP BY t.id
  HAVING sum(j.kind = 7) <> sum(CASE WHEN j.kind = 2 THEN coalesce(json_array_length(CAST(j.body AS TEXT), '$.calls'), 0)
    ELSE 0 END);

-- a total that is not the number of rows
SELECT * FROM (
  SELECT organization_id, 1 AS list, count(*) AS rows FROM agents GROUP BY 1
  UNION ALL SELECT organization_id, 2, count(*) FROM tasks GROUP BY 1)
EXCEPT SELECT organization_id, list, rows FROM counts WHERE block = -1;

-- a block's count that is not the number of its rows
SELECT * FROM (
  SELECT organization_id, 1 AS list, position >> 8 AS block, count(*) AS rows FROM agents GROUP BY 1, 3
  UNION ALL SELECT organization_id, 2, position >> 8, count(*) FROM tasks GROUP BY 1, 3)
EXCEPT SELECT organization_id, list, block, rows FROM counts WHERE block >= 0;

-- a count of rows that are not there
SELECT organization_id, list, block, rows FROM counts WHERE block >= 0 AND rows <> 0
EXCEPT SELECT * FROM (
  SELECT organization_id, 1, position >> 8 AS block, count(*) FROM agents GROUP BY 1, 3
  UNION ALL SELECT organization_id, 2, position >> 8, count(*) FROM tasks GROUP BY 1, 3);

-- two rows at one place of a list
SELECT position FROM tasks GROUP BY organization_id, position HAVING count(*) > 1;
