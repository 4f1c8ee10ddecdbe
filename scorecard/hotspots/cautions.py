"""What must be known before a map of hot spots is believed: too few events, windows that do not compare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.hotspots import analysis, coverage
from incidents.hotspots.trend import FEWEST_SLICES
from scorecard import wording
from scorecard.hotspots import words
from scorecard.hotspots.asked import BEST
from scorecard.hotspots.spots import Spots
from units.models import Institution


def warnings(spots: Spots) -> list[str]:
    """What must be known before the map is believed."""
    found = []
    if spots.is_too_few and len(spots.points):
        said = {"few": analysis.FEW}
        found.append(_("Fewer than %(few)s events: density and Gi* would draw noise, so cells are counted.") % said)
    if spots.shape is None and len(spots.points):
        found.append(_("This unit has no boundary: its area is taken to be the rectangle around its events."))
    if spots.asked.method == "emerging" and not spots.is_too_few and spots.emerging is None:
        said = {"n": FEWEST_SLICES, "few": analysis.FEW}
        text = _("Emerging hot spots need at least %(n)s parts of whole months with %(few)s events each: Gi* is drawn.")
        found.append(text % said)
    if spots.asked.method == BEST and len(spots.points) and not spots.is_too_few and spots.tested is None:
        found.append(_("The window is too short to tell which method foretells best: Gi* is drawn."))
    if spots.asked.cell and spots.cell != spots.asked.cell:
        said = {"cell": words.metres(spots.cell)}
        found.append(_("Cells as small as asked for would be too many here: they are %(cell)s.") % said)
    return found + _within(spots.uneven) + _differences(spots.compared, spots.uneven)


def notes(spots: Spots) -> list[tuple[str, str]]:
    """The same for files, a row each."""
    return [(_("Caution"), text) for text in warnings(spots)]


def _within(found: coverage.Unevenness) -> list[str]:
    """What differs between the years of the window, or the parts in which spots emerge."""
    said = []
    if found.ends:
        low, high = found.ends
        shares = {"low": words.share(low.missing_share), "high": words.share(high.missing_share)}
        text = _(
            "Events without coordinates are not on the map, and their share changes within this window, from %(low)s "
            "(%(when_low)s) to %(high)s (%(when_high)s): what looks empty or changed may be that alone."
        )
        said.append(text % {**shares, "when_low": _months(low), "when_high": _months(high)})
    names = _names([*found.began, *found.ended])
    for month, ids in _by_month(found.began):
        text = ngettext(
            "%(sources)s sent no events of this window before %(month)s.",
            "%(sources)s sent no events of this window before %(month)s.",
            len(ids),
        )
        said.append(text % {"sources": _listed(names, ids), "month": wording.month_name(month)})
    for month, ids in _by_month(found.ended):
        text = ngettext(
            "%(sources)s sent no events of this window after %(month)s.",
            "%(sources)s sent no events of this window after %(month)s.",
            len(ids),
        )
        said.append(text % {"sources": _listed(names, ids), "month": wording.month_name(month)})
    return said


def _by_month(months: dict[int, date]) -> list[tuple[date, list[int]]]:
    """Sources by their month, the earliest first."""
    return [(one, [pk for pk, month in months.items() if month == one]) for one in sorted(set(months.values()))]


def _months(part: coverage.Part) -> str:
    """The months of a part in words: those of a whole year as the year."""
    if part.first == part.last:
        return wording.month_name(part.first)
    if part.first.year == part.last.year and (part.first.month, part.last.month) == (1, 12):
        return str(part.first.year)
    said = {"first": wording.month_name(part.first), "last": wording.month_name(part.last)}
    return _("%(first)s to %(last)s") % said


def _names(sources) -> dict[int, str]:
    if not sources:
        return {}
    held = {one.pk: str(one) for one in Institution.objects.filter(pk__in=sources)}
    return {pk: held.get(pk, str(pk)) for pk in sources}


def _listed(names: dict[int, str], ids: Iterable[int]) -> str:
    return ", ".join(names[pk] for pk in ids)


def _differences(found: coverage.Difference, within: coverage.Unevenness) -> list[str]:
    """What differs from the window before; of a source that began within this one that is said already."""
    said = []
    if found.missing:
        shares = {"now": words.share(found.missing[0]), "before": words.share(found.missing[1])}
        said.append(
            _("Without coordinates: %(now)s of the events, %(before)s in the window before. They do not compare.")
            % shares
        )
    new = [pk for pk in found.new if pk not in within.began]
    names = _names([*found.silent, *new])
    if found.silent:
        text = ngettext(
            "%(sources)s sent events in the window before, and none in this one.",
            "%(sources)s sent events in the window before, and none in this one.",
            len(found.silent),
        )
        said.append(text % {"sources": _listed(names, found.silent)})
    if new:
        text = ngettext(
            "%(sources)s sent events in this window, and none in the one before.",
            "%(sources)s sent events in this window, and none in the one before.",
            len(new),
        )
        said.append(text % {"sources": _listed(names, new)})
    if found.empty:
        months = ", ".join(wording.month_name(month) for month in found.empty[:4])
        said.append(_("No event at all in %(months)s, where there usually are some.") % {"months": months})
    return said
