"""What the official Python client imports of packages that it needs for running agents in its own process only: importing
this module first saves installing some ninety packages that no request needs."""

import sys
import types


def stand_in(name: str, *members: str) -> None:
    module = types.ModuleType(name)
    for member in members:
        setattr(module, member, type(member, (), {}))
    module.__path__ = []
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


stand_in("strands", "tool")
stand_in("agents")
stand_in("agents.tool", "ToolContext", "FunctionTool")
stand_in("agno")
stand_in("agno.compression", "CompressionManager")
stand_in("agno.models")
stand_in("agno.models.base", "Model")
stand_in("agno.models.message", "Message")
stand_in("agno.models.utils", "get_model")
