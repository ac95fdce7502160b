"""Failures as tool results: the error object a model can route on, and nothing more.

A `Fault` keeps its code, message and fix. Anything else is a defect of ours and leaves
this process as `internal`, without its text and without a traceback.
"""

from __future__ import annotations

import json
import logging
import traceback

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent
from pydantic import ValidationError

from tool_servers.untrusted import plain_text
from when_to_invest.errors import ErrorCode, Fault

_log = logging.getLogger(__name__)


def failed(fault: Fault) -> CallToolResult:
    """Return the tool result of a fault: `{"error": {code, message, fix, retryable}}` twice."""
    told = {"error": fault.as_json()}
    return CallToolResult(
        content=[TextContent(type="text", text=json.dumps(told, ensure_ascii=False))],
        structured_content=told,
        is_error=True,
    )


def fault_of(error: Exception, *, tool: str) -> Fault:
    """Translate whatever a call raised; only faults and bad arguments keep their words."""
    cause = error.__cause__ if isinstance(error, ToolError) else error
    match cause:
        case Fault():
            return cause
        case ValidationError():
            return _bad_arguments(cause)
        case None:
            return Fault(
                ErrorCode.BAD_ARGUMENT, plain_text(str(error)), fix="choose a tool of this server's list"
            )
        case _:
            _note_defect(cause, tool=tool)
            return Fault(
                ErrorCode.INTERNAL,
                f"{plain_text(tool)} met a defect of this server",
                fix="look at the server's log; try another call",
            )


def unknown_arguments(names: set[str], *, tool: str) -> Fault:
    """Return the fault for arguments that a tool does not take."""
    shown = ", ".join(plain_text(name, longest=40) for name in sorted(names)[:5])
    return Fault(
        ErrorCode.BAD_ARGUMENT, f"{tool} takes no argument {shown}", fix="use the arguments of its schema"
    )


def _bad_arguments(error: ValidationError) -> Fault:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems[:3]
    )
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        plain_text(told, longest=400),
        fix="correct the arguments named in the message",
    )


def _note_defect(error: BaseException, *, tool: str) -> None:
    # Neither the exception's text nor its arguments: they can hold what a log must not.
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    _log.error("defect in tool %s: %s at %s", plain_text(tool), type(error).__name__, where)
