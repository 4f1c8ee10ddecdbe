"""Layouts: how a source writes its files and feeds, declared in layouts/*.toml. Headings are found here. Pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "layouts"
TYPOS = 2  # letters that may differ in a heading of eight letters or more; one in shorter ones of five or more
STAGES = ("reported", "received", "answered", "dispatched", "arrived", "closed")
CHOICES = ("channel", "alert_class", "service", "video")
HEADER_WITHIN = 40  # rows in which the header is looked for: a cover may stand above it


@dataclass(frozen=True)
class VariableColumn:
    """A variable of the dictionary as a file gives it. `labels` where the file gives the code and its name apart."""

    factor: str
    key: str
    names: tuple
    labels: tuple = ()
    part: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def field(self):
        return f"{self.factor}.{self.key}"


@dataclass(frozen=True)
class Layout:
    """What a file of one kind says, and under which headings.

    roots: the categories of which it says all there is; person: whom the rest of a row is about ("victim",
    "victimizer" or nobody); details: values of a second column that say the category more exactly; other: the
    category of values that are not listed; choices: {field: {value: name}} of channel, alert class, service, video.
    """

    name: str
    title: str
    title_en: str
    roots: tuple
    required: tuple
    person: str
    earliest: date
    missing: frozenset
    unused: tuple
    categories: dict
    details: dict
    other: str
    choices: dict
    headings: dict  # field -> headings it may have, best first
    date_has_time: bool
    variables: tuple
    pattern: str
    shape: tuple
    not_delimited: str

    @property
    def stages(self):
        """The stages of which it may give the instant, in their order."""
        return tuple(stage for stage in STAGES if stage in self.headings)

    def fields(self):
        """Every field with its headings: {field: names}; the name of a code is "<field>.label"."""
        found = dict(self.headings)
        for variable in self.variables:
            found[variable.field] = variable.names
            if variable.labels:
                found[f"{variable.field}.label"] = variable.labels
        return found

    def category(self, value, detail=None):
        """The code of a category by what a row says of it; None where that is not of the layout."""
        known = self.categories.get(plain(str(value)), self.other or None) if value is not None else None
        if known is None or detail is None:
            return known
        return self.details.get(plain(str(detail)), known)


class LayoutError(ValueError):
    """The file is of another layout. `missing`: the first heading of each required field that was not found."""

    def __init__(self, missing, seen):
        super().__init__(missing)
        self.missing, self.seen = missing, seen


def names():
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name):
    """The layout of this name, from its file."""
    declared = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    category = declared["category"]
    return Layout(
        name=declared["name"],
        title=declared["title"],
        title_en=declared["title_en"],
        roots=tuple(declared["roots"]),
        required=tuple(declared["required"]),
        person=declared.get("person", ""),
        earliest=declared["earliest"],
        missing=frozenset(plain(value) for value in declared["missing"]),
        unused=tuple(declared["unused"]),
        categories=_values(category),
        details=_values(category.get("detail", {})),
        other=category.get("other", ""),
        choices={key: _values(declared[key]) for key in CHOICES if key in declared},
        headings=_headings(declared),
        date_has_time=declared["date"].get("has_time", False),
        variables=tuple(_variable(entry) for entry in declared["variable"]),
        pattern=declared["place"]["pattern"],
        shape=tuple(declared["place"]["shape"]),
        not_delimited=declared["place"]["not_delimited"],
    )


def _headings(declared):
    single = ("category", "date", "time", "place", "id", *CHOICES)
    found = {key: tuple(declared[key]["names"]) for key in single if key in declared}
    if "detail" in declared["category"]:
        found["detail"] = tuple(declared["category"]["detail"]["names"])
    for table in ("point", "stages"):
        found |= {key: tuple(value) for key, value in declared.get(table, {}).items()}
    return found


def _values(table):
    return {plain(key): value for key, value in table.get("values", {}).items()}


def _variable(entry):
    entry = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return VariableColumn(**entry)


def plain(text):
    """A value as it is compared: capitals, no accents, single spaces, nothing around it."""
    folded = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).upper().split())


def heading(cell):
    """A heading as it is compared: `Código  Subcircuito ` is codigo_subcircuito."""
    return re.sub(r"[^a-z0-9]+", "_", plain(str(cell)).lower()).strip("_") if cell is not None else ""


@dataclass
class Found:
    """Where each field stands: {field: column}, and the headings read otherwise than written, or not at all."""

    header_row: int
    columns: dict
    guessed: dict = field(default_factory=dict)
    unread: list = field(default_factory=list)


def find_header(layout, rows):
    """The first row that has the headings of all required fields. Raises LayoutError, saying what was nearest."""
    best = None
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        found = match(layout, row, index)
        lacking = [field for field in layout.required if field not in found.columns]
        if not lacking:
            return found
        if best is None or len(lacking) < len(best[0]):
            best = (lacking, [str(cell).strip() for cell in row if cell not in (None, "")])
    lacking, seen = best or (list(layout.required), [])
    raise LayoutError([layout.headings[name][0] for name in lacking], seen[:12])


def match(layout, row, index=0):
    """Columns of a header row by field: exact headings first, then misspelt ones where only one can be meant."""
    given = [heading(cell) for cell in row]
    fields = layout.fields()
    wanted = {text: name for name, headings in reversed(fields.items()) for text in headings}
    columns, used = {}, set()
    for name, headings in fields.items():
        at = next((given.index(text) for text in headings if text in given), None)
        if at is not None:
            columns[name] = at
            used.add(at)
    unused = set(layout.unused)
    found = Found(index, columns)
    for at, text in enumerate(given):
        if at in used or text in unused or not text:
            continue
        meant = _misspelt(text, wanted, unused)
        if meant and meant not in columns:
            columns[meant] = at
            found.guessed[str(row[at]).strip()] = fields[meant][0]
        elif meant != "":
            found.unread.append(str(row[at]).strip())
    return found


def _misspelt(text, wanted, unused):
    """The field whose heading is nearest, if near enough and no other field is as near; "" for an unused heading."""
    allowed = TYPOS if len(text) >= 8 else 1 if len(text) >= 5 else 0
    distances = {}
    for name in (*wanted, *unused):
        if abs(len(name) - len(text)) <= allowed:
            distance = edits(text, name)
            if distance <= allowed:
                field = wanted.get(name, "")
                distances[field] = min(distance, distances.get(field, 99))
    if not distances:
        return None
    nearest = min(distances.values())
    fields = [field for field, distance in distances.items() if distance == nearest]
    return fields[0] if len(fields) == 1 else None


def edits(a, b):
    """Letters to put in, take out or replace to turn one word into the other (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]
