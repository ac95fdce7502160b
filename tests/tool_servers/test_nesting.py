"""Nesting is measured without parsing, and text that looks like it does not count."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_servers.doors import DEEPEST_REQUEST, is_nested_too_deep

told = st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_deepest_request_passes_and_one_level_more_does_not(opening: str, closing: str) -> None:
    for depth, is_too_deep in ((DEEPEST_REQUEST, False), (DEEPEST_REQUEST + 1, True)):
        body = opening * depth + "1" + closing * depth
        assert is_nested_too_deep(body.encode()) is is_too_deep


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 40_000, b'"\\"' + b"[" * 99, b'["x", ' * 99])
def test_what_never_closes_is_measured_too(body: bytes) -> None:
    is_text = body.startswith(b'"')
    assert is_nested_too_deep(body) is True or is_text


def test_brackets_in_text_are_no_nesting() -> None:
    assert not is_nested_too_deep(json.dumps(['[{"\\' * 500]).encode())


@given(told)
def test_no_request_of_ordinary_depth_is_refused(value: object) -> None:
    assert not is_nested_too_deep(json.dumps([value] * 40).encode())
