"""What a live board says in words: its answer, since when, and its method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from scorecard import components
from scorecard.html import current_language

if TYPE_CHECKING:
    from scorecard.board import Board


def answer(board: Board) -> str:
    """The hours in one sentence."""
    total = board.total
    said = {
        "n": components.number(total.count, 0, current_language()),
        "unit": board.unit.local_name,
        "since": since(board),
        "expected": total.expected_text,
        "low": total.low,
        "high": total.high,
    }
    first = _("%(n)s events in %(unit)s since %(since)s") % said
    if total.expected is None:
        return f"{first}."
    usual = _("%(expected)s expected, usual range %(low)s–%(high)s") % said
    how = {"above": _("more than usual"), "below": _("fewer than usual")}.get(total.standing)
    return f"{first}, {how}: {usual}." if how else f"{first}; {usual}."


def since(board: Board) -> str:
    time = f"{board.since:%H:%M}"
    return time if board.since.date() == board.until.date() else f"{date_format(board.since, 'j M')} {time}"


def method() -> str:
    return _(
        "Events by the time at which they happened, in the country's time; those whose time of day is not known are "
        "not among them. Expected: the mean of the same hours of the week in the 12 weeks before. Usual range: within "
        "it chance alone would keep 95 of 100 such counts (Poisson)."
    )
