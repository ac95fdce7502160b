"""Constructs that hide defects stand nowhere, or only where a reason is given."""

from __future__ import annotations

import ast

from tests.architecture.sources import sources

SPEAKING = ("cli/", "benchmarks/")
BROAD_EXCEPTS: dict[str, str] = {
    "cli/main.py": "the command's outermost door: no traceback reaches a user",
    "cli/strategy_file.py": "a user's own strategy may raise anything; it comes back as one clear error",
    "cli/supervised.py": "a supervised process's outermost door",
    "executor/cancelling.py": "one order, whatever is wrong with it, keeps no other alive",
    "executor/diary.py": "no trouble of a clock may keep a halt from falling",
    "executor/main.py": "the process's outermost loop: it halts trading and ends",
    "executor/offload.py": "what a call raises in its own thread is raised in the task that asked",
    "executor/receiving.py": "what a delete of several raises is raised in each task that asked for one",
    "executor/recorder.py": "one request's error is raised in its own task, not its neighbour's",
    "executor/venues/ccxt/line.py": "whatever ccxt raises leaves with what was heard of it, to be classified",
    "executor/venues/port.py": "what a venue raises and no table lists is ambiguous, never a rejection",
    "policies/gate.py": "a rule that errs refuses",
    "signing/bounded.py": "what a signer raises in its own thread is raised in the one that asked",
    "tool_servers/orders/sitting.py": "one request's error is raised in its own thread, not its neighbour's",
}
"""Modules that may catch everything without raising it again, and why."""


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything and does not end by raising it again."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught)


def _has_stream(call: ast.Call) -> bool:
    return any(keyword.arg == "file" for keyword in call.keywords)


def _annotated(tree: ast.Module) -> list[tuple[str, str]]:
    """Return (name, annotation) of every parameter and field."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            found.append((node.arg, ast.unparse(node.annotation)))
        elif isinstance(node, ast.AnnAssign):
            found.append((ast.unparse(node.target), ast.unparse(node.annotation)))
    return found


def test_no_assert_guards_production() -> None:
    assert not [s.path for s in sources() if any(isinstance(node, ast.Assert) for node in s.walk())]


def test_only_the_command_line_and_the_benchmarks_print() -> None:
    calls = [(s.path, n) for s in sources() for n in s.walk() if isinstance(n, ast.Call)]
    prints = [path for path, node in calls if ast.unparse(node.func) == "print" and not _has_stream(node)]
    assert not [path for path in prints if not path.startswith(SPEAKING)]


def test_money_is_never_a_float() -> None:
    pairs = [(s.path, *pair) for s in sources() for pair in _annotated(s.tree)]
    floats = [
        f"{path}: {name}: {kind}" for path, name, kind in pairs if "float" in kind and name.endswith("_usd")
    ]
    assert not floats


def test_catching_everything_needs_a_reason() -> None:
    handlers = [(s.path, n) for s in sources() for n in s.walk() if isinstance(n, ast.ExceptHandler)]
    broad = {path for path, handler in handlers if _is_broad(handler)}
    assert broad == set(BROAD_EXCEPTS)


def test_only_the_gate_can_make_an_approval() -> None:
    named = {s.path for s in sources() if "GATE_TOKEN" in s.text}
    assert named == {"when_to_invest/verdicts.py", "policies/gate.py"}


def test_one_module_alone_knows_goat() -> None:
    users = {s.path for s in sources() if any(name.split(".")[0].startswith("goat") for name in s.imports())}
    assert len(users) == 1
    assert next(iter(users)).startswith("tool_servers/chain/")


def test_the_wall_clock_is_read_in_one_place() -> None:
    readers = set()
    for source in sources():
        for node in source.walk():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"datetime.now", "datetime.utcnow"}:
                readers.add(source.path)
    assert readers == {"home/clock.py"}
