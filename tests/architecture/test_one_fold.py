"""A roll is folded by one ledger: two would count each of its changes twice."""

from __future__ import annotations

import ast

from tests.architecture.sources import sources


def test_no_ledger_is_handed_a_fold_that_another_could_be_handed_too() -> None:
    given = [
        (source.path, keyword.value)
        for source in sources()
        for node in source.walk()
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "is_warranted"
    ]
    assert any(ast.unparse(value).endswith("roll.follow()") for _, value in given)
    assert not [path for path, value in given if isinstance(value, ast.Attribute) and value.attr == "admits"]
