"""What the address of a page of hot spots asks for: the whole state of the page, so that an address is a layer."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.core.exceptions import BadRequest, ValidationError
from django.utils.translation import gettext as _

from incidents import conditions
from incidents.dictionary import subtree
from incidents.hotspots import read
from incidents.models import Category
from indicators.models import Sensitivity

BEST = "auto"  # the method that foretold best in the window
EVENTS = "points"  # the events themselves, those that lie close as one
METHODS = (BEST, "gi", "density", "counts", EVENTS, "emerging", "risk")
CELLS = (100, 250, 500, 1000, 2000, 5000, 10_000)
LEAST_BANDWIDTH, MOST_BANDWIDTH = 100, 50_000
LEAST_PATROL, MOST_PATROL = 0.01, 10_000.0  # square kilometres
FIRST_YEAR, LAST_YEAR = 1990, 2100
LIST = ("day", "value")  # parameters that may be given more than once


@dataclass(frozen=True)
class Asked:
    """first and last: days, both included. hours: from, until (not included), over midnight where until <= from.

    spot: longitude and latitude of a point whose cell is opened. patrol: square kilometres that one patrol looks after.
    Nothing given is None or empty: the page decides.
    """

    first: date
    last: date
    method: str = BEST
    category: str = ""
    from_hour: int | None = None
    to_hour: int | None = None
    day: tuple[int, ...] = ()
    variable: str = ""
    value: tuple[int, ...] = ()
    least: float | None = None
    most: float | None = None
    bandwidth: int | None = None
    cell: int | None = None
    spot: tuple[float, float] | None = None
    near: bool = False
    test: bool = False
    patrol: float | None = None

    @property
    def hours(self) -> tuple[int, ...] | None:
        """The hours of the day asked for; None for all."""
        if self.from_hour is None or self.to_hour is None or self.from_hour % 24 == self.to_hour % 24:
            return None
        length = (self.to_hour - self.from_hour) % 24
        return tuple(sorted((self.from_hour + n) % 24 for n in range(length)))

    @property
    def is_whole_months(self) -> bool:
        return self.first.day == 1 and (self.last + timedelta(days=1)).day == 1

    @property
    def months(self) -> int:
        """How many calendar months the window touches."""
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1

    @property
    def conditions(self) -> list[dict]:
        """The variable asked for as incidents.conditions has it; empty where none is."""
        if self.variable and self.value:
            return [{"field": self.variable, "in": list(self.value)}]
        bounds = {"from": self.least, "to": self.most}
        told = {name: bound for name, bound in bounds.items() if bound is not None}
        return [{"field": self.variable, **told}] if self.variable and told else []

    def query(self, **changes) -> str:
        """The address's own part after "?", with these changes: what stands as it would by itself is left out."""
        other, pairs = replace(self, **changes), []
        for one in fields(other):
            value = getattr(other, one.name)
            if value is None or value is False or value in ("", ()):
                continue
            if one.name in LIST:
                pairs += [(one.name, n) for n in value]
            elif one.name == "spot":
                pairs.append((one.name, "{:.5f},{:.5f}".format(*value)))
            else:
                pairs.append((one.name, 1 if value is True else f"{value:g}" if type(value) is float else value))
        return urlencode(pairs)

    def ending(self, month: date) -> Asked:
        """The window of as many months that ends with this month."""
        return replace(self, first=shifted(month, 1 - self.months), last=last_day(month), spot=self.spot)

    @property
    def before(self) -> Asked:
        """The window of the same length just before."""
        if self.is_whole_months:
            return self.ending(shifted(self.first, -1))
        length = self.last - self.first
        return replace(self, first=self.first - length - timedelta(days=1), last=self.first - timedelta(days=1))


def shifted(month: date, by: int) -> date:
    """The first day of the month `by` months away, within the years there are."""
    years, index = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(min(max(years, FIRST_YEAR), LAST_YEAR), index + 1, 1)


def last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def read_address(given, latest: Callable[[], date]) -> Asked:
    """What request.GET asks for; BadRequest where it cannot be understood. latest() is the last day with events.

    Without days: the twelve whole months before the latest day, or until it where it ends a month.
    """
    first, last = _days(given, latest)
    method = given.get("method") or BEST
    if method not in METHODS:
        raise BadRequest(_("There is no such method."))
    asked = Asked(
        first,
        last,
        method,
        _category(given.get("category", "")),
        _whole(given, "from_hour", 0, 23),
        _whole(given, "to_hour", 0, 24),
        tuple(sorted({_number(text, 1, 7) for text in given.getlist("day")})),
        _variable(given.get("variable", "")),
        tuple(sorted({_number(text, 0, 32_767) for text in given.getlist("value")})),
        _decimal(given, "least"),
        _decimal(given, "most"),
        _whole(given, "bandwidth", LEAST_BANDWIDTH, MOST_BANDWIDTH),
        _whole(given, "cell", CELLS[0], CELLS[-1]),
        _spot(given.get("spot", "")),
        bool(given.get("near")),
        bool(given.get("test")),
        _patrol(given),
    )
    try:
        conditions.check(asked.conditions)
    except ValidationError as error:
        raise BadRequest(" ".join(error.messages)) from None
    return asked


def _days(given, latest):
    first, last = _date(given, "first"), _date(given, "last")
    if last is None:
        last = latest()
        if (last + timedelta(days=1)).day != 1:
            last = last.replace(day=1) - timedelta(days=1)
    first = first or shifted(last, -11)
    if first > last:
        raise BadRequest(_("The first day comes after the last."))
    return first, last


def _date(given, name):
    text = given.get(name)
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(_("A day is written as 2023-12-31.")) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadRequest(_("There are no events of that year."))
    return found


def _category(code):
    if code and ("\x00" in code or not Category.objects.filter(code=code).exists()):
        raise BadRequest(_("There is no such category."))
    return code


def _variable(field):
    if field:
        variable = conditions.variables_by_field().get(field)
        if variable is None or variable.sensitivity == Sensitivity.RESERVED:
            raise BadRequest(_("There is no such variable."))
    return field


def _whole(given, name, least, most):
    text = given.get(name)
    return _number(text, least, most) if text else None


def _number(text, least, most):
    if not (text.isascii() and text.isdigit() and len(text) < 8 and least <= int(text) <= most):
        raise BadRequest(_("A whole number from %(least)s to %(most)s is needed.") % {"least": least, "most": most})
    return int(text)


def _decimal(given, name):
    text = given.get(name)
    if not text:
        return None
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e9:
        raise BadRequest(_("A bound is not a number."))
    return found


def _patrol(given):
    found = _decimal(given, "patrol")
    if found is not None and not LEAST_PATROL <= found <= MOST_PATROL:
        raise BadRequest(_("An area to patrol is from 0.01 to 10,000 km²."))
    return found


def _spot(text):
    if not text:
        return None
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        raise BadRequest(_("A place is written as longitude,latitude.")) from None
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise BadRequest(_("A place is written as longitude,latitude."))
    return longitude, latitude


def selection(asked: Asked, territories: tuple[int, ...] | None) -> read.Selection:
    """The events that the address asks for within these territories, as they are read."""
    categories = None
    if asked.category:
        categories = tuple(subtree(Category.objects.get(code=asked.category).pk))
    clause, values = conditions.where(asked.conditions, conditions.EVENT) if asked.conditions else ("", [])
    return read.Selection(
        start=asked.first,
        end=asked.last + timedelta(days=1),
        categories=categories,
        territories=territories,
        hours=asked.hours,
        weekdays=asked.day or None,
        such=(clause, tuple(values)),
    )
