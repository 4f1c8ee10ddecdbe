"""A table of a known layout into typed columns: what was mended by which rule, which rows are refused and why. Pure.

Every distinct cell of a column is read once; the rest is NumPy. Row numbers are those of the file, counted from 1.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta

import numpy as np

from incidents import cells
from incidents.layout import CHOICES, plain

NO_TIME = -1
LABEL = 160  # letters of a value of a catalogue


@dataclass(frozen=True)
class Refusal:
    """A row that is not taken: its number in the file, the field at fault, the rule, and what stood there."""

    row: int
    field: str
    rule: str
    value: str


@dataclass
class Coded:
    """A column of a category: `labels` of its distinct values as written, `index` into them, -1 where not stated.

    `codes`: the codes of the labels where the file gives them, else None.
    """

    labels: list
    index: np.ndarray
    codes: list | None = None


@dataclass
class Parsed:
    """The rows that can be taken, by columns (R,). `fields`: what the file says at all; of the rest nothing changes."""

    rows: np.ndarray
    category: Coded
    days: np.ndarray  # datetime64[D]
    seconds: np.ndarray  # of the day, NO_TIME where not stated
    place: Coded
    longitude: np.ndarray
    latitude: np.ndarray
    variables: dict
    ids: list | None
    fields: set
    stages: dict = field(default_factory=dict)  # stage -> datetime64[us] in UTC, NaT where not stated
    choices: dict = field(default_factory=dict)  # channel, alert class, service, video -> Coded, by their own names
    mended: Counter = field(default_factory=Counter)
    refused: list = field(default_factory=list)
    read: int = 0
    blank: int = 0
    repeated: int = 0  # rows that say in every column what an earlier one says

    def __len__(self):
        return len(self.rows)

    def keep(self, good):
        """Only the rows where `good` (R,) is true."""
        self.rows, self.days, self.seconds = self.rows[good], self.days[good], self.seconds[good]
        self.longitude, self.latitude = self.longitude[good], self.latitude[good]
        for coded in (self.category, self.place, *self.choices.values()):
            coded.index = coded.index[good]
        self.stages = {stage: instants[good] for stage, instants in self.stages.items()}
        for key, column in self.variables.items():
            if isinstance(column, Coded):
                column.index = column.index[good]
            else:
                self.variables[key] = column[good]
        if self.ids is not None:
            self.ids = [value for value, is_good in zip(self.ids, good, strict=True) if is_good]


class _Reading:
    """The body of a table while its columns are read: which rows break which rule first, what was mended."""

    def __init__(self, table, layout):
        self.layout, self.columns = layout, table.found.columns
        self.missing = layout.missing
        header = table.found.header_row
        width = len(table.rows[header])
        body, numbers = [], []
        for number, row in enumerate(table.rows[header + 1 :], header + 2):
            if any(cell not in ("", None) and not (isinstance(cell, str) and not cell.strip()) for cell in row):
                body.append(row)
                numbers.append(number)
        self.blank = len(table.rows) - header - 1 - len(body)
        self.repeated = len(body) - len({tuple(c.strip() if isinstance(c, str) else c for c in row) for row in body})
        self.rows = np.array(numbers, np.int64)
        self.size = len(body)
        self.fault = np.full(self.size, -1, np.int32)
        self.faults = []
        self.mended = Counter()
        self.spaced = np.zeros(self.size, bool)
        self._cut(body, width)

    def _cut(self, body, width):
        lengths = np.fromiter(map(len, body), np.int64, self.size)
        short, long = lengths < width, lengths > width
        for row in np.flatnonzero(long):  # empty cells after the last column are nothing
            long[row] = any(cell not in ("", None) for cell in body[row][width:])
        self.refuse(short, "row", "row_short", lengths)
        self.refuse(long, "row", "row_long", lengths)
        self.body = [row if len(row) >= width else [*row, *[""] * (width - len(row))] for row in body]

    def refuse(self, where, field, rule, values):
        """Refuse rows, each for the first rule that it breaks. values: (R,) of what stood there, for the words."""
        for row in np.flatnonzero(where & (self.fault < 0)):
            self.fault[row] = len(self.faults)
            self.faults.append((field, rule, str(values[row])[:80]))

    def mend(self, rule, where):
        count = int(np.count_nonzero(where & (self.fault < 0)))
        if count:
            self.mended[rule] += count

    def distinct(self, field):
        """(values, index (R,)) of a field's column; None for what is not stated. A field that is not there: None."""
        if field not in self.columns:
            return None
        at, seen = self.columns[field], {}
        raw = np.fromiter((seen.setdefault(row[at], len(seen)) for row in self.body), np.int64, self.size)
        values, spaced = [], []
        for cell in seen:
            value, is_spaced = self._stripped(cell)
            values.append(value)
            spaced.append(is_spaced)
        self.spaced |= np.array(spaced, bool)[raw] if spaced else False
        return values, raw

    def _stripped(self, cell):
        if cell is None:
            return None, False
        if not isinstance(cell, str):
            return cell, False
        text = " ".join(cell.split())
        is_spaced = text != cell and bool(text)
        return (None if not text or plain(text) in self.missing else text), is_spaced


def parse(table, layout, *, as_of: date, box, zone=UTC):
    """Typed columns of a table. as_of: the last day an event can have; box: west, south, east, north in degrees.

    zone: of instants without an offset.
    """
    reading = _Reading(table, layout)
    category = _category(reading)
    days = _days(reading, as_of)
    place = _place(reading)
    ids = _ids(reading)
    stages = _stages(reading, as_of, zone)
    variables = {
        variable.field: _variable(reading, variable)
        for variable in layout.variables
        if variable.field in reading.columns
    }
    good = reading.fault < 0
    seconds = _seconds(reading)
    longitude, latitude = _points(reading, box)
    choices = {key: _choice(reading, key) for key in CHOICES if key in reading.columns}
    reading.mend("spaces", reading.spaced)
    parsed = Parsed(
        reading.rows, category, days, seconds, place, longitude, latitude, variables, ids,
        fields=set(reading.columns), stages=stages, choices=choices, mended=reading.mended, read=reading.size,
        blank=reading.blank, repeated=reading.repeated,
    )  # fmt: skip
    parsed.refused = [
        Refusal(int(reading.rows[row]), *reading.faults[reading.fault[row]]) for row in np.flatnonzero(~good)
    ]
    parsed.keep(good)
    return parsed


def _shown(values, index):
    """What stood in the column, row by row, looked up only where it is asked for."""

    class Shown:
        def __getitem__(self, row):
            value = values[index[row]]
            return "" if value is None else value

    return Shown()


def _category(reading):
    """Codes by what a row says of its category, and more exactly by what it says of the subtype."""
    layout = reading.layout
    values, index = reading.distinct("category")
    blank = np.array([value is None for value in values], bool)[index]
    reading.refuse(blank, "category", "category_missing", _shown(values, index))
    unknown = np.array([layout.category(value) is None for value in values], bool)[index]
    reading.refuse(unknown, "category", "category_unknown", _shown(values, index))
    unlisted = [value is not None and plain(str(value)) not in layout.categories for value in values]
    reading.mend("category_other", np.array(unlisted, bool)[index])
    details, detail_index = reading.distinct("detail") or ([None], np.zeros(reading.size, np.int64))
    strange = [value is not None and plain(str(value)) not in layout.details for value in details]
    reading.mend("detail_unknown", np.array(strange, bool)[detail_index])
    pairs, index = np.unique(np.stack([index, detail_index]), axis=1, return_inverse=True)
    codes = [layout.category(values[value], details[detail]) for value, detail in pairs.T]
    labels = sorted({code for code in codes if code})
    place = {code: i for i, code in enumerate(labels)}
    return Coded(labels, np.array([place.get(code, -1) for code in codes], np.int64)[index.ravel()])


def _choice(reading, key):
    """Channel, alert class, service or video by the names that the layout gives its values."""
    values, index = reading.distinct(key)
    known = reading.layout.choices[key]
    names = [known.get(plain(str(value))) if value is not None else None for value in values]
    strange = [value is not None and name is None for value, name in zip(values, names, strict=True)]
    reading.mend("choice_unknown", np.array(strange, bool)[index])
    labels = sorted({name for name in names if name})
    return Coded(labels, np.array([labels.index(name) if name else -1 for name in names], np.int64)[index])


NOWHEN = np.datetime64("NaT", "us")


def _stages(reading, as_of, zone):
    """The instants of an emergency's handling; a row is refused in which one comes before an earlier one."""
    first, last = np.datetime64(reading.layout.earliest, "us"), np.datetime64(as_of + timedelta(days=2), "us")
    found, before = {}, np.full(reading.size, NOWHEN)
    for stage in reading.layout.stages:
        if stage not in reading.columns:
            continue
        values, index = reading.distinct(stage)
        instants, rules, bad = _tried(lambda cell: cells.read_instant(cell, zone), values, index)
        column = [NOWHEN if at is None else np.datetime64(at.replace(tzinfo=None), "us") for at in instants]
        column = np.array(column, "datetime64[us]")[index]
        impossible = (column < first) | (column > last)
        reading.mend("stage_unreadable", bad | impossible)
        _mend_by(reading, rules, index)
        found[stage] = np.where(impossible, NOWHEN, column)
        reading.refuse(found[stage] < before, stage, "time_order", found[stage])
        before = np.where(np.isnat(found[stage]), before, found[stage])
    return found


def _tried(read, values, index):
    """Read each distinct value: (results or None, rules of mending, bool of those that cannot be read)."""
    results, rules, bad = [], [], []
    for value in values:
        result, rule, is_bad = None, None, False
        if value is not None:
            try:
                result, rule = read(value)
            except (ValueError, OverflowError):
                is_bad = True
        results.append(result)
        rules.append(rule)
        bad.append(is_bad)
    return results, rules, np.array(bad, bool)[index]


def _mend_by(reading, rules, index):
    for rule in sorted({rule for rule in rules if rule}):
        reading.mend(rule, np.array([name == rule for name in rules], bool)[index])


def _days(reading, as_of):
    values, index = reading.distinct("date")
    days, rules, bad = _tried(cells.read_date, values, index)
    shown = _shown(values, index)
    reading.refuse(np.array([value is None for value in values], bool)[index], "date", "date_missing", shown)
    reading.refuse(bad, "date", "date_unreadable", shown)
    column = np.array([np.datetime64(day or date(1, 1, 1), "D") for day in days], "datetime64[D]")[index]
    reading.refuse(column > np.datetime64(as_of, "D"), "date", "date_future", shown)
    reading.refuse(column < np.datetime64(reading.layout.earliest, "D"), "date", "date_early", shown)
    _mend_by(reading, rules, index)
    return column


def _seconds(reading):
    found, read = reading.distinct("time"), cells.read_time
    if found is None and reading.layout.date_has_time:
        found, read = reading.distinct("date"), cells.read_clock
    if found is None:
        return np.full(reading.size, NO_TIME, np.int64)
    values, index = found
    seconds, rules, bad = _tried(read, values, index)
    reading.mend("time_missing", np.array([value is None for value in seconds], bool)[index] & ~bad)
    reading.mend("time_unreadable", bad)
    _mend_by(reading, rules, index)
    return np.array([NO_TIME if value is None else value for value in seconds], np.int64)[index]


def _place(reading):
    """Codes of places by the layout's grammar, with the zeros that it asks for."""
    values, index = reading.distinct("place") or ([None], np.zeros(reading.size, np.int64))
    codes, padded, bad = [], [], []
    for value in values:
        code = place_code(reading.layout, value)
        codes.append(code)
        padded.append(code is not None and code != str(value).upper())
        bad.append(value is not None and code is None)
    reading.refuse(np.array(bad, bool)[index], "place", "place_unreadable", _shown(values, index))
    reading.mend("place_padded", np.array(padded, bool)[index])
    labels = sorted({code for code in codes if code})
    at = {code: i for i, code in enumerate(labels)}
    return Coded(labels, np.array([at.get(code, -1) for code in codes], np.int64)[index])


def place_code(layout, value):
    """A place's code with the zeros that the layout asks for; None where it is not of its grammar."""
    if value is None:
        return None
    text = re.sub(r"[\s\-_]", "", str(value)).upper()
    if text.startswith(layout.not_delimited):
        return text[:24]
    found = re.fullmatch(layout.pattern, text)
    if not found:
        return None
    numbers = [int(group) for group in found.groups() if group]
    first = layout.shape[0].format(*numbers[:2])
    return first + "".join(shape.format(number) for shape, number in zip(layout.shape[1:], numbers[2:], strict=False))


def _ids(reading):
    found = reading.distinct("id")
    if found is None:
        return None
    values, index = found
    texts = [
        None if value is None else f"{value:.0f}" if isinstance(value, float) else str(value)[:80] for value in values
    ]
    reading.refuse(np.array([text is None for text in texts], bool)[index], "id", "id_missing", _shown(values, index))
    later = np.ones(reading.size, bool)
    later[np.unique(index, return_index=True)[1]] = False
    reading.refuse(later, "id", "id_repeated", _shown(values, index))
    return [texts[i] for i in index]


def _points(reading, box):
    """Longitude and latitude (R,), NaN where there is no point that can be believed; each reason counted apart."""
    empty = np.full(reading.size, np.nan)
    x, y = reading.distinct("longitude"), reading.distinct("latitude")
    if x is None or y is None:
        return empty, empty.copy()
    (lon, lon_bad, lon_comma), (lat, lat_bad, lat_comma) = _degrees(*x), _degrees(*y)
    bad = lon_bad | lat_bad
    reading.mend("point_unreadable", bad)
    missing = (np.isnan(lon) | np.isnan(lat)) & ~bad
    reading.mend("point_missing", missing)
    zero = (lon == 0) & (lat == 0)
    reading.mend("point_zero", zero)
    west, south, east, north = box
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    reading.mend("point_outside", ~inside & ~bad & ~missing & ~zero)
    reading.mend("decimal_comma", lon_comma | lat_comma)
    good = inside & ~zero
    return np.where(good, lon, np.nan), np.where(good, lat, np.nan)


def _degrees(values, index):
    degrees, rules, bad = _tried(cells.read_number, values, index)
    column = np.array([np.nan if value is None else value for value in degrees], np.float64)[index]
    comma = np.array([rule == "decimal_comma" for rule in rules], bool)[index]
    return np.round(column, 7), bad, comma


def _variable(reading, variable):
    values, index = reading.distinct(variable.field)
    if variable.low is not None or variable.high is not None:
        return _number(reading, variable, values, index)
    if variable.labels and f"{variable.field}.label" in reading.columns:
        return _given_code(reading, variable, values, index)
    texts = [None if value is None else _text(value) for value in values]
    reading.refuse(
        np.array([text is not None and len(text) > LABEL for text in texts], bool)[index],
        variable.field, "too_long", _shown(values, index),
    )  # fmt: skip
    return _coded(texts, index)


def _text(value):
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _coded(texts, index):
    """Values that differ in nothing but capitals, accents and spaces are one."""
    first = {}
    for text in texts:
        if text is not None:
            first.setdefault(plain(text), text)
    at = {key: i for i, key in enumerate(first)}
    position = [-1 if text is None else at[plain(text)] for text in texts]
    return Coded(list(first.values()), np.array(position, np.int64)[index])


def _number(reading, variable, values, index):
    numbers, _, bad = _tried(cells.read_number, values, index)
    column = np.array([np.nan if value is None else value for value in numbers], np.float64)[index]
    reading.mend("number_unreadable", bad)
    out = (column < (variable.low if variable.low is not None else -np.inf)) | (
        column > (variable.high if variable.high is not None else np.inf)
    )
    reading.mend("number_range", out)
    return np.where(out, np.nan, column).astype(np.float32)


def _given_code(reading, variable, values, index):
    """Codes with their names in another column: a code that cannot be read is found by its name in the other rows."""
    names, name_index = reading.distinct(f"{variable.field}.label")
    codes, _, bad = _tried(cells.read_code, values, index)
    by_code, by_name = {}, {}
    pairs, counts = np.unique(np.stack([index, name_index], 1), axis=0, return_counts=True)
    for place in np.argsort(-counts, kind="stable"):
        code, name = codes[pairs[place, 0]], names[pairs[place, 1]]
        if code is not None and name is not None:
            by_code.setdefault(code, str(name))
            by_name.setdefault(plain(str(name)), code)
    # A number a distinct code; beyond them, one a name that no row of the file gives a code for.
    lone = sorted({plain(str(name)) for name in names if name is not None} - set(by_name))
    beyond = {name: -2 - i for i, name in enumerate(lone)}
    keys = [plain(str(name)) if name is not None else None for name in names]
    named = np.array([by_name.get(key, beyond.get(key, -1)) for key in keys], np.int64)[name_index]
    found = np.array([-1 if code is None else code for code in codes], np.int64)[index]
    reading.mend("code_by_label", bad & (named != -1))
    reading.mend("code_unreadable", bad & (named == -1))
    found = np.where(bad, named, found)
    known = np.unique(found[found != -1])
    position = np.where(found == -1, -1, np.searchsorted(known, found))
    written = {plain(str(name)): str(name) for name in names if name is not None}
    labels = [by_code.get(code, str(code)) if code > 0 else written[lone[-2 - code]] for code in known.tolist()]
    return Coded([label[:LABEL] for label in labels], position, [code if code > 0 else None for code in known.tolist()])


def refuse_outside(parsed, first, end):
    """Refuse the rows whose month lies outside [first, end), months as dates."""
    inside = (parsed.days >= np.datetime64(first, "D")) & (parsed.days < np.datetime64(end, "D"))
    for row in np.flatnonzero(~inside):
        parsed.refused.append(Refusal(int(parsed.rows[row]), "date", "outside_period", str(parsed.days[row])))
    parsed.refused.sort(key=lambda refusal: refusal.row)
    parsed.keep(inside)
