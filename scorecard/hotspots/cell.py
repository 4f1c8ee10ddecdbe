"""One cell of a map of hot spots: its events, what is typical of them, and the units that cover it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incidents.hotspots import read
from incidents.models import Category
from scorecard import wording
from scorecard.hotspots import cautions, words
from scorecard.hotspots.spots import Spots
from scorecard.hotspots.tables import names_of
from units.tables import Cell, Column, Table

SHOWN, FILED = 50, 5000  # events of a cell on the page, and in a file
TYPICAL = 10  # events from which something may be called typical
BANDS = ((0, 6), (6, 12), (12, 18), (18, 24))


class OpenedCell:
    """The cell of the point that the address opens. Whoever may open the page may see its events."""

    def __init__(self, spots: Spots):
        self.spots, self.cell = spots, spots.opened

    @cached_property
    def rows(self) -> list[tuple]:
        return read.listed(replace(self.spots.selection, box=self.spots.box_of(self.cell)), FILED)

    @cached_property
    def categories(self) -> dict[int, str]:
        return {one.pk: one.local_name for one in Category.objects.filter(pk__in={row[3] for row in self.rows})}

    @cached_property
    def names(self) -> dict[int, str]:
        return names_of([row[4] for row in self.rows if row[4]] + list(self.spots.places.values()))

    @property
    def place(self) -> str:
        return self.names.get(self.spots.places.get(self.cell, 0), "")

    @property
    def heading(self) -> str:
        said = {"place": self.place, "side": words.metres(self.spots.cell)}
        return _("Cell of %(side)s in %(place)s") % said if self.place else _("Cell of %(side)s") % said

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The cell's figures as (term, words)."""
        spots, longitude_latitude = self.spots, self.spots.spot_of(self.cell)
        value = float(spots.found.surface.value.flat[self.cell])
        figures = {
            "gi": [(_("Gi* (z)"), wording.number(value, 2) or "–")],
            "density": [(_("Events/km²"), wording.number(value, 2))],
            "risk": [(_("Expected/km²"), wording.number(value, 2))],
        }
        return [
            (_("Events"), wording.number(int(spots.found.counts.flat[self.cell]), 0)),
            *figures.get(spots.found.surface.method, []),
            (_("Class"), words.class_of(spots, self.cell)),
            (_("Middle"), "{1:.5f}, {0:.5f}".format(*longitude_latitude)),
        ]

    @property
    def profile(self) -> list[tuple[str, str]]:
        """What most of the events have in common; nothing where they are few."""
        if len(self.rows) < TYPICAL:
            return []
        found = [(_("Most frequent"), self._most(Counter(self.categories[row[3]] for row in self.rows)))]
        found.append((_("Weekday"), self._most(Counter(str(words.WEEKDAYS[row[1].weekday()]) for row in self.rows))))
        hours = [row[2].hour for row in self.rows if row[2] is not None]
        if len(hours) >= TYPICAL:
            bands = Counter(next(band for band in BANDS if band[0] <= hour < band[1]) for hour in hours)
            said = Counter({f"{first:02}:00–{last:02}:00": n for (first, last), n in bands.items()})
            found.append((_("Hours"), self._most(said)))
        return found

    def _most(self, counts: Counter) -> str:
        name, n = min(counts.items(), key=lambda item: (-item[1], item[0]))
        said = {"name": name, "share": wording.percent(100 * n / counts.total()), "n": n, "of": counts.total()}
        return _("%(name)s: %(share)s (%(n)s of %(of)s)") % said

    @cached_property
    def covering(self) -> list[tuple[str, str, str, str]]:
        """(institution, code, name, href) of each institution's nearest unit that covers the cell."""
        place = self.spots.places.get(self.cell) or self.spots.unit.territory_id
        found = read.covering([place], self.spots.asked.last.replace(day=1)).get(place, [])
        is_english = get_language() == "en"
        return [
            (institution, code, (is_english and english) or name, f"/units/{code}/")
            for institution, code, name, english in found
        ]

    @property
    def profile_href(self) -> str:
        return f"/profile/{self.spots.unit.code}/?{self._query}"

    @property
    def incidents_href(self) -> str:
        return f"/incidents/{self.spots.unit.code}/?{self._query}"

    @property
    def _query(self) -> str:
        """The address's own part with this very cell: its place and its size."""
        spot, asked = self.spots.spot_of(self.cell), self.spots.asked
        return asked.query(spot=spot, cell=self.spots.cell, near=False, test=False)

    @property
    def close_href(self) -> str:
        return f"?{self.spots.asked.query(spot=None)}"

    def table(self) -> Table:
        """The latest events as the page lists them."""
        whole = self.as_file(SHOWN)
        whole.columns, whole.rows = whole.columns[1:5], [row[1:5] for row in whole.rows]
        for row, event in zip(whole.rows, self.rows, strict=False):
            row[0] = Cell(row[0], f"/incidents/{self.spots.unit.code}/{event[0]}/")
        return whole

    def as_file(self, most: int = FILED) -> Table:
        rows = [
            [pk, day, f"{at:%H:%M}" if at else "", self.categories[category], self.names.get(place or 0, ""), x, y]
            for pk, day, at, category, place, x, y in self.rows[:most]
        ]
        columns = [
            Column("id", _("Number"), "number", 0),
            Column("day", _("Date"), "date"),
            Column("time", _("Time")),
            Column("category", _("Category")),
            Column("place", _("Place")),
            Column("longitude", _("longitude"), "number", 5),
            Column("latitude", _("latitude"), "number", 5),
        ]
        notes: list[Any] = [(_("Unit"), self.spots.unit.code), *self.facts, *words.method_items(self.spots)]
        notes += cautions.notes(self.spots)
        if len(rows) < len(self.rows):
            notes.append((_("Rows"), _("The latest %(n)s of %(all)s.") % {"n": len(rows), "all": len(self.rows)}))
        title = _("Events of the cell, the latest first")
        empty = _("No event lies in this cell; what its neighbours hold colours it.")
        return Table(title, columns, rows, notes, id="cell-events", name=f"{self.spots.files} cell", empty=empty)

    @property
    def rest(self) -> int:
        return max(0, len(self.rows) - SHOWN)
