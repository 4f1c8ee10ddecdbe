"""Rows in an institution's own column names to the items that a feed takes. The same layouts read files.

What cannot be read goes on as it stands, so that the feed refuses it under its own rule and says what stood there.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from incidents import cells
from incidents.layout import CHOICES, heading, plain
from incidents.parse import place_code


def to_items(rows, layout, *, zone):
    """Items (dicts) of rows (dicts by column), in their order. zone: of instants without an offset."""
    return [_Row(row, layout, zone).item() for row in rows]


@lru_cache(maxsize=1_000)  # whoever sends may invent headings
def _columns(layout_name, given):
    """{field: column} of the headings as they were given. Of a feed the headings are agreed: none is guessed."""
    from incidents.layout import load

    layout = load(layout_name)
    known = {heading(name): name for name in reversed(given)}
    found = {}
    for field, headings in layout.fields().items():
        at = next((known[text] for text in headings if text in known), None)
        if at is not None:
            found[field] = at
    return found


class _Row:
    """One row while it is read."""

    def __init__(self, row, layout, zone):
        self.row, self.layout, self.zone = row, layout, zone
        self.is_row = isinstance(row, dict)
        self.columns = _columns(layout.name, tuple(map(str, row))) if self.is_row else {}

    def item(self):
        if not self.is_row:
            return self.row
        said = {
            "external_id": self._text("id"),
            "category": self._category(),
            "occurred_on": self._read("date", cells.read_date, lambda day: day.isoformat()),
            "occurred_at": self._clock(),
            "place": self._place(),
            "longitude": self._read("longitude", cells.read_number, float),
            "latitude": self._read("latitude", cells.read_number, float),
            **{f"{stage}_at": self._instant(stage) for stage in self.layout.stages},
            **{key: self._choice(key) for key in CHOICES if key in self.layout.choices},
            **self._people(),
        }
        variables = self._variables("environment")
        if variables:
            said["variables"] = {f"environment.{key}": value for key, value in variables.items()}
        return {name: value for name, value in said.items() if value is not None}

    def cell(self, field):
        """What stands in the field's column; None where it says nothing."""
        value = self.row.get(self.columns.get(field))
        if isinstance(value, str):
            value = " ".join(value.split())
            return None if not value or plain(value) in self.layout.missing else value
        return value

    def _text(self, field):
        value = self.cell(field)
        return None if value is None else f"{value:.0f}" if isinstance(value, float) else str(value)

    def _read(self, field, read, written):
        value = self.cell(field)
        if value is None:
            return None
        try:
            found, _rule = read(value)
        except (ValueError, OverflowError, TypeError, AttributeError):
            return value if isinstance(value, str | int | float) else str(value)
        return None if found is None else written(found)

    def _category(self):
        value = self.cell("category")
        return self.layout.category(value, self.cell("detail")) or (None if value is None else str(value)[:24])

    def _clock(self):
        if "time" in self.columns:
            return self._read("time", cells.read_time, _clock)
        if self.layout.date_has_time and self.cell("date") is not None:
            return self._read("date", cells.read_clock, _clock)
        return None

    def _instant(self, stage):
        return self._read(stage, lambda cell: cells.read_instant(cell, self.zone), datetime.isoformat)

    def _place(self):
        value = self.cell("place")
        return None if value is None else place_code(self.layout, value) or str(value)[:24]

    def _choice(self, key):
        value = self.cell(key)
        return None if value is None else self.layout.choices[key].get(plain(str(value)), str(value))

    def _people(self):
        if not self.layout.person:
            return {}
        return {f"{self.layout.person}s": [self._variables(self.layout.person)]}

    def _variables(self, factor):
        found = {}
        for variable in self.layout.variables:
            if variable.factor == factor and (value := self._variable(variable)) is not None:
                found[variable.key] = value
        return found

    def _variable(self, variable):
        if variable.low is not None or variable.high is not None:
            return self._read(variable.field, cells.read_number, float)
        value = self.cell(f"{variable.field}.label") if variable.labels else None
        value = self.cell(variable.field) if value is None else value
        if value is None or isinstance(value, date):
            return None if value is None else value.isoformat()
        return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _clock(seconds):
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours:02}:{minutes:02}" + (f":{rest:02}" if rest else "")
