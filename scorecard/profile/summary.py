"""The profile in plain sentences, made by rules from its figures: none says what is not significant.

Every sentence names the row or the table that it was made from.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.behind import AGES, NUMBERS
from incidents.models import Kind
from incidents.profile import Compared
from incidents.profile_read import HOUR, HOURS, WEEKDAY
from scorecard import wording
from scorecard.hotspots.words import WEEKDAYS
from scorecard.hotspots.words import place as place_words
from scorecard.hotspots.words import span as span_words
from scorecard.profile.reading import LAST_YEAR, Profile
from units.models import Institution

MOST = 6  # differences that are put in words
PAIRS = 3


class Sentence(NamedTuple):
    """What is said, and the id on the page of the figures that it says."""

    text: str
    anchor: str


def sentences(found: Profile) -> list[Sentence]:
    """What the profile says, the strongest first; that nothing differs, where nothing does."""
    if not found.events:
        return []
    said = [Sentence(size(found), "totals")]
    for n, one in enumerate(found.different[:MOST]):
        said.append(Sentence(difference(found, one), f"f{n}"))
    rest = len(found.different) - MOST
    if rest > 0:
        text = ngettext("%(n)s more value differs.", "%(n)s more values differ.", rest) % {"n": rest}
        said.append(Sentence(text, "compared"))
    if not found.different:
        said.append(Sentence(_nothing(found), "compared"))
    said += [Sentence(pair_words(found, pair), f"s{n}") for n, pair in enumerate(found.together[:PAIRS])]
    return said


def warnings(found: Profile) -> list[str]:
    """What must be known before the comparison is believed."""
    apart, said = found.difference, []
    lone = sorted({*apart.silent, *apart.new})
    if lone:
        names = ", ".join(str(one) for one in Institution.objects.filter(pk__in=lone))
        text = ngettext(
            "%(sources)s sent events to one side and none to the other: what differs may be that alone.",
            "%(sources)s sent events to one side and none to the other: what differs may be that alone.",
            len(lone),
        )
        said.append(text % {"sources": names})
    if apart.empty:
        months = ", ".join(wording.month_name(month) for month in apart.empty[:4])
        said.append(_("No event at all in %(months)s, where there usually are some.") % {"months": months})
    return said


def size(found: Profile) -> str:
    said = _("%(n)s events in %(unit)s, %(span)s, beside %(n0)s of %(other)s.") % {
        "n": wording.number(found.events, 0),
        "unit": place_words(found.unit, found.cell),
        "span": span_words(found.asked),
        "n0": wording.number(found.events_there, 0),
        "other": comparison(found),
    }
    return " ".join(filter(None, (said, _most_unlike(found))))


def _most_unlike(found: Profile) -> str:
    """What differs most, for the head of the page; nothing where the two sides had other sources."""
    if not found.different or found.difference.silent or found.difference.new:
        return ""
    one = found.different[0]
    return _("Most unlike: %(variable)s, %(value)s (%(share)s against %(share0)s).") % {
        "variable": field_name(found, one.field),
        "value": value_name(found, one.field, one.value),
        "share": wording.percent(100 * one.n / one.stated, 0),
        "share0": wording.percent(100 * one.n0 / one.stated0, 0),
    }


def comparison(found: Profile) -> str:
    if found.against == LAST_YEAR:
        return _("the same days a year before")
    return _("the rest of %(unit)s") % {"unit": found.above.local_name}


def _nothing(found: Profile) -> str:
    if not found.compared:
        return _("Too few events state anything for a comparison: take a longer window or a larger unit.")
    return _("Nothing that is stated differs from the comparison by more than chance.")


def difference(found: Profile, one: Compared) -> str:
    """A value that is more, or less, frequent than in the comparison. Only for what is significant."""
    if not one.is_different:
        raise ValueError("what is not significant is not said")
    said = {
        "variable": field_name(found, one.field),
        "value": value_name(found, one.field, one.value),
        "share": wording.percent(100 * one.n / one.stated, 0),
        "share0": wording.percent(100 * one.n0 / one.stated0, 0),
        "n": wording.number(one.n, 0),
        "n0": wording.number(one.n0, 0),
        "ratio": wording.number(one.ratio, 1 if one.ratio >= 1 else 2),
        "low": wording.number(one.low, 1 if one.low >= 1 else 2),
        "high": wording.number(one.high, 1 if one.high >= 1 else 2),
    }
    if math.isinf(one.ratio):
        return _("%(variable)s: %(value)s appears here (%(n)s, %(share)s) and not in the comparison.") % said
    if one.n == 0:
        return _("%(variable)s: %(value)s does not appear here; in the comparison it does (%(n0)s, %(share0)s).") % said
    if one.ratio > 1:
        text = _(
            "%(variable)s: %(value)s is more frequent than in the comparison, %(ratio)s times as much (%(share)s "
            "against %(share0)s; 95 %% interval %(low)s to %(high)s)."
        )
    else:
        text = _(
            "%(variable)s: %(value)s is less frequent than in the comparison, %(ratio)s times as much (%(share)s "
            "against %(share0)s; 95 %% interval %(low)s to %(high)s)."
        )
    return text % said


def pair_words(found: Profile, pair) -> str:
    return _(
        "%(one)s and %(other)s rise and fall together from month to month (rank correlation of the changes %(rho)s "
        "over %(months)s months); that does not say that one causes the other."
    ) % {
        "one": found.categories.get(pair.one, ""),
        "other": found.categories.get(pair.other, ""),
        "rho": wording.number(pair.rho, 2),
        "months": pair.months,
    }


# Names


def field_name(found: Profile, field: str) -> str:
    if field == HOUR:
        return _("Hours")
    if field == WEEKDAY:
        return _("Weekday")
    variable = found.fields[field]
    return f"{variable.get_factor_display()}, {variable.local_name}".capitalize()


def value_name(found: Profile, field: str, value: int) -> str:
    if field == HOUR:
        return f"{value * HOURS:02}:00–{(value + 1) * HOURS:02}:00"
    if field == WEEKDAY:
        return str(WEEKDAYS[value - 1])
    variable = found.fields[field]
    if variable.kind == Kind.NUMBER:
        return band_name(AGES if variable.key == "age" else NUMBERS, value)
    return found.codes.get((variable.pk, value), str(value))


def band_name(edges: tuple[int, ...], n: int) -> str:
    least = edges[n]
    if n + 1 == len(edges):
        return _("%(least)s and more") % {"least": least}
    return f"{least}–{edges[n + 1] - 1}" if edges[n + 1] - 1 > least else str(least)
