/// The help text.
enum Usage {
  static let text = """
    Usage: muster [--store FILE] [--json] COMMAND

    Commands:
      agents list [--page N] [--per-page N]
          The agents as a table, newest first.
      agents create --name NAME [--instructions TEXT] [--model NAME] [--provider NAME]
                    [--api-base URL] [--body JSON]
          Makes an agent and prints its id. --body gives further fields as a JSON object.
      invoke AGENT TEXT [--thread ID] [--version V] [--timeout SECONDS]
          Runs an agent, named by its id or by its name, and prints the answer. --thread continues
          or starts a conversation; --version is a number or "draft".
      call OPERATION [JSON]
          Calls any operation with a JSON object of arguments, and prints the answer.
      help

    Options:
      --store FILE   The store; default: MUSTER_STORE, or agents.db in the current folder.
      --json         Prints the answer as JSON.
      --version      Prints the version.

    Environment:
      MUSTER_STORE            The store.
      MUSTER_MODEL            The model of agents that are made without one, with
      MUSTER_MODEL_PROVIDER   its provider (openai or openai_compatible) and
      MUSTER_MODEL_BASE       its address, such as http://127.0.0.1:8080/v1.

    Exit codes: 0 success, 1 the operation failed, 2 wrong usage, 3 the task did not complete,
    130 interrupted.

    """
}
