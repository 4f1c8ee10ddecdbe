"""What is whole of a body that breaks off, wherever it does."""

import json

import pytest

from units.api import broken_off

ITEMS = [{"id": "A", "at": [1, -2.5e3], "in": {"ñ": "]},{"}}, {"id": 'é\\"', "none": None}, {"x": -79.25}]


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"items": [', "]}")])
def test_a_list_keeps_what_is_whole_wherever_it_breaks_off(before, after):
    items = [json.dumps(item, ensure_ascii=False) for item in ITEMS]
    body = (before + ", ".join(items) + after).encode()
    ends = [len((before + ", ".join(items[: n + 1])).encode()) for n in range(len(items))]
    for at in range(1, len(body)):
        whole = [json.loads(raw) for raw in broken_off.whole_items(body[:at], "items")]
        assert whole == ITEMS[: sum(end <= at for end in ends)], body[:at]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1}, ]', b'[{"a": 1}]', b'[{"a": 1}]x', b'[{"a": 1}, {b', b'{"other": [{"a": 1}, ', b'{"a": 1, ', b"[1",
        b'[{"a": "\xff"}, ', b"", b"x",
    ],
)  # fmt: skip
def test_what_is_wrong_and_not_cut_keeps_nothing(body):
    assert broken_off.whole_items(body, "items") == []


@pytest.mark.parametrize(
    ("body", "is_within"),
    [("ñ".encode()[:1], True), ("a€".encode()[:-1], True), ("ñ".encode(), False), (b"abc", False), (b"\xff", False)],
)
def test_a_break_within_a_letter_is_seen(body, is_within):
    assert broken_off.ends_within_a_letter(body) is is_within


def test_lines_are_kept_up_to_the_last_end_of_one():
    assert broken_off.whole_lines(b"a\nb\nc") == b"a\nb\n"
    assert broken_off.whole_lines(b"a") == b"a"
