"""Write the pages that are made from code; with `--check` say which ones are out of date.

The flow, the tools, the errors, the limits, the refusals and the order's life are data in
the program. What people read about them is written from that data, never by hand.
"""

from __future__ import annotations

import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, cast

from executor.algos.catalogue import execution_page
from policies.catalogue import limits_markdown, refusals_markdown, rules_markdown
from tests.mutations.page import mutations_page
from tool_servers.chain.tools import chain_tools
from tool_servers.market.tools import market_tools
from tool_servers.orders.tools import order_tools
from tool_servers.toolspec import ToolDefinition
from when_to_invest.controls import CONTROLS
from when_to_invest.errors import ERROR_KINDS
from when_to_invest.failures import FAILURES, Failure
from when_to_invest.flow import AGENT_NODES, STAGES, Stage
from when_to_invest.orders import ORDER_LIFE, TERMINAL, OrderState
from when_to_invest.promises import Control

ROOT: Final = Path(__file__).resolve().parent.parent
BEGIN: Final = "<!-- generated: flow -->"
END: Final = "<!-- end of generated: flow -->"
ANALYSIS: Final = {
    "features": "What is known at a close",
    "models": "What may come: variance, odds, ranges, paths",
    "signals": "What the trend says",
    "risk": "What is dangerous now",
    "decision": "What to do, and what would change it",
    "backtest": "What following it would have earned",
    "honesty": "What luck and a peek at the future would have earned",
    "evaluation": "What the forecasts were worth",
}
NOTE: Final = "<!-- Written by `make docs`; change the code, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = (head, ["---"] * len(head), *rows)
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def does(stage: Stage) -> str:
    """Return the first paragraph of the docstring of the stage's function, as one line."""
    return " ".join((inspect.getdoc(pkgutil.resolve_name(stage.function)) or "").split("\n\n")[0].split())


def _flow_row(stage: Stage) -> tuple[str, ...]:
    taken = ", ".join(f"`{_last(name)}`" for name in stage.takes) or "—"
    way = f"{taken} → `{_last(stage.gives)}`"
    return (stage.name, f"`{stage.package}`", stage.process.value, way, does(stage))


def flow_table() -> str:
    """Return the stages as the README shows them."""
    return table(("stage", "package", "process", "takes → gives", "what it does"), map(_flow_row, STAGES))


def _function_row(number: int, stage: Stage) -> tuple[str, ...]:
    taken = ", ".join(f"`{name}`" for name in stage.takes) or "—"
    return (str(number), stage.name, f"`{stage.function}`", taken, f"`{stage.gives}`", stage.via.value)


def flow_page() -> str:
    """Return every stage with its function and how it is handed its input."""
    rows = (_function_row(number, stage) for number, stage in enumerate(STAGES, start=1))
    nodes = " → ".join(AGENT_NODES)
    return _page(
        "The way of one idea",
        "An agent proposes, a gate it cannot reach decides, an executor that trusts neither acts, and one "
        "journal remembers. A test resolves every name below and checks that each stage takes what an "
        f"earlier one gives.\n\nThe agent's own graph has the nodes {nodes}.",
        flow_table(),
        "## Functions and types\n\n"
        + table(("", "stage", "function", "takes", "gives", "handed over by"), rows),
    )


def errors_page() -> str:
    """Return every error code with what a script may make of it."""
    rows = (
        (f"`{code.value}`", kind.meaning, str(kind.exit_status), "yes" if kind.is_retryable else "no")
        for code, kind in ERROR_KINDS.items()
    )
    return _page(
        "Errors",
        "Every error is an object `error{code, message, fix, retryable}`. Exit status: 1 refused or failed "
        "check, 2 unusable arguments, 3 unreachable dependency.",
        table(("code", "meaning", "exit", "worth a retry"), rows),
    )


def limits_page() -> str:
    """Return the hard limits and the rules that guard them."""
    return _page(
        "Limits",
        "Compiled into every process that judges. `[limits]` in `config.toml` can only tighten them: a "
        "looser, unreadable or unknown key refuses to start and is named.",
        limits_markdown(),
        "## Rules\n\nAll of them run on every judgement, and all objections return, in this order. A hold "
        "can be lifted by approvers' signatures; a hard objection by nothing.\n\n" + rules_markdown(),
    )


def refusals_page() -> str:
    """Return every reason code."""
    return _page(
        "Refusals",
        "A refusal or a hold lists all reasons: `reasons{code, rule, limit, attempted, overage, unit, fix}`.",
        refusals_markdown(),
    )


def controls_page() -> str:
    """Return every control and every failure that is handled, with what shows it."""
    failing = (
        (each.name, each.handling + (f" *{each.later}*" if each.tests and each.later else ""), _proofs(each))
        for each in FAILURES
    )
    return _page(
        "Controls",
        "What cannot be done with money here: who asks for it, which of the gate's rules and which other "
        "parts carry it out, by which [limits](limits.md), and which tests show it besides each rule's own. "
        "What is missing is said in italics.",
        "\n".join(map(_control, CONTROLS)),
        "## When something fails\n",
        table(("what happens", "what is done", "shown by"), failing),
    )


def _control(control: Control) -> str:
    lines = [f"## {control.name}\n", f"{control.promise} From: {control.source}.\n"]
    for title, names in (("rules", control.rules), ("limits", control.limits), ("parts", control.parts)):
        if names:
            lines.append(f"- {title}: {', '.join(f'`{name}`' for name in names)}")
    if control.tests:
        lines.append(f"- shown by: {_proofs(control)}")
    if control.short:
        lines.append(f"- *{control.short}*")
    return "\n".join(lines) + "\n"


def _proofs(row: Control | Failure) -> str:
    """Return the tests of a row, each a link to its file."""
    parts = [test.partition("::") for test in row.tests]
    named = [(path, each.removeprefix("test_").replace("_", " ")) for path, _, each in parts]
    shown = [f"[{each or Path(path).stem}](../{path})" for path, each in named]
    return ", ".join(shown) or "—"


def orders_page() -> str:
    """Return the order's life as a diagram and a list."""
    arrows = [
        f"    {state.value} --> {following.value}: {step.value}"
        for state, steps in ORDER_LIFE.items()
        for step, following in steps.items()
    ]
    ends = [f"    {state.value} --> [*]" for state in OrderState if state in TERMINAL]
    diagram = "\n".join(["stateDiagram-v2", f"    [*] --> {OrderState.NEW.value}", *arrows, *ends])
    return _page(
        "The life of an order",
        "What the diagram does not show is illegal: it raises and changes nothing. `unknown` and "
        "`quarantined` count as filled for every limit. A late fill is believed after a cancel or an expiry.",
        f"```mermaid\n{diagram}\n```\n",
    )


def tools_page() -> str:
    """Return what each server offers to a model."""
    return _page(
        "Tools",
        "What a model can call. No tool places an order: some read, some propose, some report. Every result "
        "is structured content with a short text; text from outside is wrapped and marked untrusted.",
        tools_table(),
    )


def analysis_page() -> str:
    """Return every module of the analysis with its source, equation and functions."""
    return _page(
        "The analysis",
        "From closed bars to a recommendation, and the tools that keep it honest. All of it is pure: no "
        "clock, no files, no randomness without a seed. Each entry is the module's own docstring.",
        analysis_body(),
    )


def analysis_body() -> str:
    """Return one section a package: each module's docstring, and what it offers."""
    return "\n".join(_section(name, title) for name, title in ANALYSIS.items())


def _section(name: str, title: str) -> str:
    package = import_module(f"when_to_invest.{name}")
    found = sorted(item.name for item in pkgutil.iter_modules(package.__path__))
    modules = [import_module(f"{package.__name__}.{each}") for each in found]
    return f"## {title}\n\n" + "\n".join(_module(each) for each in modules)


def _module(module: ModuleType) -> str:
    first, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
    name = module.__name__.removeprefix("when_to_invest.")
    lines = [f"### `{name}`\n", f"**{first}** {' '.join(rest.split())}".rstrip() + "\n"]
    lines += [f"- `{each.__name__}`: {_summary(each)}" for each in _offered(module)]
    return "\n".join(lines).rstrip() + "\n"


def _offered(module: ModuleType) -> list[FunctionType]:
    members = [value for name, value in vars(module).items() if not name.startswith("_")]
    return [each for each in members if isinstance(each, FunctionType) and each.__module__ == module.__name__]


def _summary(function: FunctionType) -> str:
    return " ".join((inspect.getdoc(function) or "").split("\n\n", maxsplit=1)[0].split())


def tools_table() -> str:
    """Return every tool of every server; the definitions are read, nothing is called."""
    unused = cast("Any", None)
    servers = {
        "market": market_tools(unused),
        "orders": order_tools(unused),
        "chain": chain_tools(unused, limits=unused),
    }
    rows = (_tool_row(server, tool) for server, tools in servers.items() for tool in tools)
    return table(("server", "tool", "arguments", "effect", "what the model reads"), rows)


def _tool_row(server: str, tool: ToolDefinition) -> tuple[str, ...]:
    effect = "reads" if tool.conduct.read_only else "asks"
    arguments = ", ".join(f"`{name}`" for name in tool.arguments) or "none"
    return (server, f"`{tool.name}`", arguments, effect, tool.description)


def readme() -> str:
    """Return the README with its flow table written anew."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{head}{BEGIN}\n\n{flow_table()}\n{END}{tail}"


PAGES: Final[dict[str, Callable[[], str]]] = {
    "README.md": readme,
    "docs/analysis.md": analysis_page,
    "docs/controls.md": controls_page,
    "docs/errors.md": errors_page,
    "docs/execution.md": execution_page,
    "docs/flow.md": flow_page,
    "docs/limits.md": limits_page,
    "docs/mutations.md": mutations_page,
    "docs/orders.md": orders_page,
    "docs/refusals.md": refusals_page,
    "docs/tools.md": tools_page,
}


def _page(title: str, lead: str, *parts: str) -> str:
    return "\n".join((f"# {title}\n\n{NOTE}\n\n{lead}\n", *parts))


def outdated() -> dict[str, str]:
    """Return the pages whose file differs from the code, with the text they should have."""
    wanted = {name: write() for name, write in PAGES.items()}
    return {name: text for name, text in wanted.items() if _present(ROOT / name) != text}


def _present(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """Write what is out of date; with `--check` write nothing and return 1 if anything is."""
    stale = outdated()
    if "--check" in arguments:
        for name in stale:
            print(f"{name} is out of date: run `make docs`")
        return 1 if stale else 0
    for name, text in stale.items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
