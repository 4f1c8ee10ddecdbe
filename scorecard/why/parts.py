"""The parts of a gap as a page tells them: their names, where they lead, the sentence, the waterfall, the table."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from incidents import behind
from incidents.models import Category, Measure, VariableCode
from indicators import decompose
from indicators.decompose import Kind, Part
from scorecard import wording
from scorecard.chance import Noted, times
from scorecard.why import asked as ways
from scorecard.why.asked import Asked
from scorecard.why.gaps import Why
from units.tables import Cell, Column, Table

LEAST = Fraction(1, 10**9)  # of the figures, below which a rest is no figure
NAMED = 3  # that the sentence names


IN, OUT = "in", "out"  # of a share: the events that count above, and those that do not
PARTS = {IN: gettext_lazy("those that count"), OUT: gettext_lazy("those that do not")}


class Named(NamedTuple):
    """A part's name, a narrower page of reasons ("" for none), and the events behind it ("" for none)."""

    name: str
    href: str = ""
    events: str = ""


class Parts:
    """What a page says of a gap. sees_events: whether the person may read events one by one here; noted: the change
    since last year beside chance, where that is tried.
    """

    def __init__(self, why: Why, *, sees_events: bool, noted: Noted | None = None):
        self.noted = noted
        self.why, self.asked, self.sheet, self.unit = why, why.asked, why.sheet, why.unit
        self.gap = why.gap
        self.can_list = sees_events and bool(why.events)

    @property
    def shown(self) -> list[Part]:
        """All parts, but a rest that is only what binary fractions leave."""
        least = LEAST * (1 + abs(self.gap.actual) + abs(self.gap.base))
        return [part for part in self.gap.parts if part.kind == Kind.ITEM or part.items or abs(part.effect) > least]

    @property
    def has_shares(self) -> bool:
        """Whether shares of the gap say anything: not where large parts cancel out to a small one."""
        moved = sum(abs(part.effect) for part in self.gap.parts)
        return bool(self.gap.total) and 10 * abs(self.gap.total) >= moved

    # Names

    @cached_property
    def names(self) -> dict[Any, Named]:
        make = {ways.UNIT: self._units, ways.CATEGORY: self._categories, ways.HOUR: self._hours}
        return make.get(self.asked.by, self._values)()

    def name_of(self, part: Part) -> Named:
        if part.kind == Kind.ITEM:
            return self.names.get(part.key, Named(str(part.key)))
        return Named(self._rest_words(part))

    def _rest_words(self, part: Part) -> str:
        by_unit, is_year = self.asked.by == ways.UNIT, self.asked.against == ways.LAST_YEAR
        if part.kind == Kind.MISSING:
            n = len(part.items)
            return _("Known on one side alone: %(n)s") % {"n": n}
        if part.kind == Kind.UNATTRIBUTED:
            return _("In no unit below that has a figure") if by_unit else _("Not among the events on file")
        if is_year and by_unit:
            return _("Last year, in no unit below that has a figure")
        if is_year:
            return _("Last year, not among the events on file")
        return _("Target that is not shared out below") if by_unit else _("Target that is not shared out")

    def _units(self) -> dict[int, Named]:
        is_english, found = get_language() == "en", {}
        for unit, row in {**self.why.children_before_if_used, **self.why.children}.items():
            name = (is_english and row.name_en) or row.name
            href = f"/why/{row.code}/{self.sheet.indicator.code}/?{self.asked.query()}"
            found[unit] = Named(name, href, self._events_href(row.code))
        return found

    def _categories(self) -> dict[int, Named]:
        ids = [part.key for part in self.gap.items]
        return {
            one.pk: Named(one.local_name, "", self._events_href(category=one.code, only=1))
            for one in Category.objects.filter(pk__in=ids)
        }

    def _hours(self) -> dict[int, Named]:
        found = {behind.NOT_STATED: Named(_("Hour not stated"), "", self._events_href(no_hour=1))}
        for n in range(24 // behind.HOURS):
            first, last = n * behind.HOURS, (n + 1) * behind.HOURS
            href = self._events_href(from_hour=first, to_hour=last)
            found[n] = Named(f"{first:02}:00–{last:02}:00", "", href)
        return found

    def _values(self) -> dict[int, Named]:
        variable = ways.variable_of(self.asked.field)
        by = behind.by_variable(variable, "")
        if by.bands:
            return self._bands(variable, by.bands)
        names = {code.code: code.local_name for code in VariableCode.objects.filter(variable=variable)}
        keys = {part.key for part in self.gap.items}
        said = {key: names.get(key, str(key)) if key else _("not stated") for key in keys}
        return {
            key: Named(name, "", self._events_href(variable=self.asked.field, value=key)) for key, name in said.items()
        }

    def _bands(self, variable, edges) -> dict[int, Named]:
        found = {behind.NOT_STATED: Named(_("not stated"))}
        for n, least in enumerate(edges):
            most = edges[n + 1] if n + 1 < len(edges) else None
            name = _("%(least)s and more") % {"least": least}
            given = {"variable": self.asked.field, "least": least}
            if most is not None:
                name = f"{least}–{most - 1}" if most - 1 > least else str(least)
                given["most"] = most - 0.001
            found[n] = Named(name, "", self._events_href(**given))
        return found

    def _events_href(self, unit: str = "", **more) -> str:
        return (
            events_href(unit or self.unit.code, self.sheet.indicator.code, self.asked, **more) if self.can_list else ""
        )

    @property
    def all_events(self) -> str:
        return self._events_href()

    @property
    def is_share(self) -> bool:
        return any(one.rule.measure == Measure.SHARE for one in self.why.events)

    def lists(self, events: str) -> list[tuple[str, str]]:
        """(key, address) of the lists behind a part whose events have this address: of a share, those that count above
        apart from those that do not.
        """
        if not self.is_share:
            return [("events", events)]
        return [(f"events_{part}", events and f"{events}&part={part}") for part in PARTS]

    # Words

    def figure(self, value) -> str:
        return wording.number(float(value), self.sheet.decimals)

    @property
    def span_words(self) -> str:
        month = wording.month_name(self.asked.month)
        if self.asked.span == ways.MONTH or self.asked.month.month == 1:
            return month
        return _("%(first)s to %(last)s") % {"first": wording.month_name(self.asked.start), "last": month}

    def answer(self) -> str:
        gap = self.gap
        said = {
            "indicator": self.sheet.local_name,
            "unit": self.unit.local_name,
            "span": self.span_words,
            "gap": f"{self.figure(abs(gap.total))} {wording.difference_unit(self.sheet.local_unit_of_measure)}",
            "actual": self.figure(gap.actual),
            "base": self.figure(gap.base),
        }
        told = (self._gap_words() % said, self._chance_words(), self._explained())
        return " ".join(filter(None, told))

    def _chance_words(self) -> str:
        if self.noted is None or not self.gap.total:
            return ""
        said = {"ratio": times(self.noted.ratio), "low": times(self.noted.low), "high": times(self.noted.high)}
        if self.sheet.is_count:
            told = _("By day %(ratio)s times as many (%(low)s to %(high)s): %(says)s.")
        else:
            told = _("By day and inhabitant %(ratio)s times as many (%(low)s to %(high)s): %(says)s.")
        says = _("more than chance") if self.noted.is_distinct else _("not distinguishable from chance")
        return told % {**said, "says": says}

    def _gap_words(self) -> str:
        is_year = self.asked.against == ways.LAST_YEAR
        if not self.gap.total:
            if is_year:
                return _("%(indicator)s in %(unit)s, %(span)s: as last year (%(actual)s).")
            return _("%(indicator)s in %(unit)s, %(span)s: just on target (%(actual)s).")
        if self.gap.total > 0:
            if is_year:
                return _("%(indicator)s in %(unit)s, %(span)s: %(gap)s above last year (%(actual)s against %(base)s).")
            return _("%(indicator)s in %(unit)s, %(span)s: %(gap)s above the target (%(actual)s against %(base)s).")
        if is_year:
            return _("%(indicator)s in %(unit)s, %(span)s: %(gap)s below last year (%(actual)s against %(base)s).")
        return _("%(indicator)s in %(unit)s, %(span)s: %(gap)s below the target (%(actual)s against %(base)s).")

    def _explained(self) -> str:
        parts, share = decompose.explaining(self.gap)
        if not self.gap.total:
            return ""
        if not parts:
            return _("No few parts explain most of it.")
        if not self.has_shares:
            return _("Parts that go up and parts that go down nearly cancel out.")
        names = [self.name_of(part).name for part in parts[:NAMED]]
        said = {"n": len(parts), "of": len(self.gap.items), "share": wording.percent(100 * float(share))}
        said["items"] = {
            ways.UNIT: _("units"),
            ways.CATEGORY: _("categories"),
            ways.HOUR: _("hour bands"),
        }.get(self.asked.by, _("values"))
        said["names"] = ", ".join(names)
        if len(parts) > NAMED:
            said["names"] = _("%(names)s and %(n)s more") % {"names": said["names"], "n": len(parts) - NAMED}
        if share > 1:
            return (
                ngettext(
                    "%(n)s of %(of)s %(items)s is more than all of it (%(names)s); the rest makes up for some.",
                    "%(n)s of %(of)s %(items)s are more than all of it (%(names)s); the rest makes up for some.",
                    len(parts),
                )
                % said
            )
        return (
            ngettext(
                "%(n)s of %(of)s %(items)s explains %(share)s of it: %(names)s.",
                "%(n)s of %(of)s %(items)s explain %(share)s of it: %(names)s.",
                len(parts),
            )
            % said
        )

    # Table

    def table(self) -> Table:
        decimals, is_rates = self.sheet.decimals, self.why.is_of_rates
        against = _("Last year") if self.asked.against == ways.LAST_YEAR else _("Target")
        columns = [
            Column("part", _("Part")),
            Column("actual", _("Actual"), "number", decimals),
            Column("base", against, "number", decimals),
            Column(
                "effect",
                _("Adds to the gap"),
                "number",
                max(decimals, 1) if is_rates else decimals,
                unit=wording.difference_unit(wording.PERCENT) if self.sheet.unit_of_measure == wording.PERCENT else "",
                narrow="key",
            ),
            Column("share", _("Of the gap"), "percent", 0),
        ]
        if is_rates:
            columns += [Column("level", _("By level"), "number", 2), Column("mix", _("By weight"), "number", 2)]
        if self.can_list:
            labels = {
                "events": _("Events"),
                **{f"events_{part}": str(words).capitalize() for part, words in PARTS.items()},
            }
            columns += [Column(key, labels[key], say=lambda _value: "") for key, _href in self.lists("")]
        rows = [self._row(part, is_rates) for part in self.shown]
        gap = self.gap
        foot = [_("In all"), float(gap.actual), float(gap.base), float(gap.total), 100.0 if self.has_shares else None]
        foot += [float(gap.level), float(gap.mix)] if is_rates else []
        foot += self._list_cells(self.all_events)
        name = f"why {self.unit.code} {self.sheet.indicator.code} {self.asked.month:%Y-%m} {self.asked.by}"
        title = _("What makes up the gap")
        return Table(title, columns, rows, self.notes(), id="parts", name=name, foot=foot)

    def _row(self, part: Part, is_rates: bool) -> list[Any]:
        named, total = self.name_of(part), self.gap.total
        row = [
            Cell(named.name, named.href),
            None if part.actual is None else float(part.actual),
            None if part.base is None else float(part.base),
            float(part.effect),
            float(100 * part.effect / total) if self.has_shares else None,
        ]
        if is_rates:  # of what no item accounts for neither is known: the columns sum to their foot
            row += [float(part.level), float(part.mix)] if part.kind == Kind.ITEM else [None, None]
        return row + self._list_cells(named.events)

    def _list_cells(self, events: str) -> list[Any]:
        if not self.can_list:
            return []
        return [Cell(_("list"), href) if href else "" for _key, href in self.lists(events)]

    # Method

    def method(self) -> list[tuple[str, str]]:
        found = [
            (_("Sum"), _("The parts sum to the gap exactly; they are worked out in fractions and rounded in print."))
        ]
        if self.why.is_of_rates:
            text = _(
                "Level is what a part's own rate adds at its mean weight; weight is what the change of its share of "
                "the denominators adds, measured from the mean of both wholes (Kitagawa)."
            )
            found.append((_("Rates"), text))
        if self.asked.by != ways.UNIT and self.asked.against == ways.TARGET and not self.why.is_of_rates:
            text = _(
                "Targets are set by unit alone: here the target is shared out as the events of last year's months were."
            )
            found.append((_("Target"), text))
        if self.asked.by == ways.VARIABLE:
            text = _("Where an event has several persons, the first speaks for it.")
            found.append((_("Persons"), text))
        text = _("Missing is never 0: what is known on one side alone, or in no part, stands apart by name.")
        return [*found, (_("Not known"), text)]

    def notes(self) -> list[tuple[str, str]]:
        by = self.asked.field if self.asked.by == ways.VARIABLE else self.asked.by
        return [
            (_("Unit"), f"{self.unit.code} {self.unit.local_name}"),
            (_("Indicator"), f"{self.sheet.indicator.code} {self.sheet.local_name}"),
            (_("Window"), self.span_words),
            (_("Against"), _("last year") if self.asked.against == ways.LAST_YEAR else _("target")),
            (_("By"), by),
            (_("In words"), self.answer()),
            *self.method(),
        ]


def events_href(unit: str, indicator: str, asked: Asked, **more) -> str:
    """The list of the events that an indicator counted in the span."""
    last = asked.end.fromordinal(asked.end.toordinal() - 1)
    given = {"indicator": indicator, "first": asked.start, "last": last, **more}
    return f"/incidents/{unit}/?{urlencode(given)}"
