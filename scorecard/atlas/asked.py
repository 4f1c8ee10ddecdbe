"""What the address of a large map asks for: the whole state of the page."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.utils.translation import gettext as _

from scorecard import classing
from scorecard.addresses import month_of

MOST_STEPS = 4
OVERALL = "overall"
SPANS = ("", "month", "year")
DRAWN = ("areas", "bubbles")


@dataclass(frozen=True)
class Asked:
    """month: the latest where none is named. by: an indicator's code. steps: levels below the unit. span: of the
    figure, "" for what drives the light. drawn and classes: how. beside: a second month. place: what is sought.
    """

    month: date | None = None
    by: str = OVERALL
    steps: int = 1
    span: str = ""
    drawn: str = "areas"
    classes: str = ""
    beside: date | None = None
    place: str = ""

    def query(self, **changes) -> str:
        """The address's own part after "?", with these changes: what stands as it would by itself is left out."""
        other, pairs = replace(self, **changes), []
        for one in fields(other):
            value = getattr(other, one.name)
            if value != one.default:
                pairs.append((one.name, f"{value:%Y-%m}" if isinstance(value, date) else value))
        return urlencode(pairs)


def read_address(given) -> Asked:
    """What request.GET asks for; BadRequest or Http404 where it cannot be understood."""
    return Asked(
        month_of(given.get("month", "")),
        given.get("by", "")[:40] or OVERALL,
        _steps(given.get("steps", "")),
        _one_of(given.get("span", ""), SPANS),
        _one_of(given.get("drawn", "") or "areas", DRAWN),
        _one_of(given.get("classes", ""), ("", *classing.METHODS)),
        month_of(given.get("beside", "")),
        given.get("place", "").strip()[:80],
    )


def _steps(text: str) -> int:
    if not text:
        return 1
    if text in map(str, range(1, MOST_STEPS + 1)):
        return int(text)
    raise BadRequest(_("A whole number from %(least)s to %(most)s is needed.") % {"least": 1, "most": MOST_STEPS})


def _one_of(text: str, offered: tuple[str, ...]) -> str:
    if text in offered:
        return text
    raise BadRequest(_("A map has no choice %(text)s.") % {"text": text[:20]})
