"""Every component in every state, on made-up figures: how to read the signs, and where to see that all still work."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.messages.constants import ERROR, SUCCESS
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scorecard.components import (
    BANDS,
    Area,
    Band,
    Cell,
    Chart,
    Column,
    Crumb,
    IndicatorLine,
    Link,
    Map,
    ObjectiveLine,
    Series,
    Table,
)
from scorecard.mapping import project
from scorecard.wording import short_month

NAN = math.nan
MONTH = date(2023, 10, 1)
HERE = "/style"


class ExampleForm(forms.Form):
    """A form that shows each kind of field, and what a mistake looks like."""

    value = forms.DecimalField(
        label=gettext_lazy("Robberies in October"),
        help_text=gettext_lazy("Whole number. Leave empty if not counted yet."),
    )
    month = forms.DateField(label=gettext_lazy("Month"), widget=forms.DateInput(attrs={"type": "month"}))
    applies = forms.ChoiceField(
        label=gettext_lazy("Does it apply?"),
        choices=[("y", gettext_lazy("Yes")), ("n", gettext_lazy("No, not applicable"))],
        widget=forms.RadioSelect,
    )
    cause = forms.CharField(label=gettext_lazy("Cause"), widget=forms.Textarea(attrs={"rows": 3}), required=False)


def _violence() -> list[IndicatorLine]:
    """Lines with a light: at risk, provisional, indistinguishable from chance."""
    homicides = IndicatorLine(
        name=_("Intentional homicides"),
        href=HERE,
        code="1.1",
        unit=_("per 100,000"),
        decimals=1,
        value=5.2,
        target=4.8,
        attainment=91.7,
        marks="amber",
        light_note=_("to date"),
        month_marks="amber",
        spark_target=4.8,
        spark=[6.1, 5.8, 6.4, 5.9, 5.5, NAN, 5.2, 5.6, 5.1, 4.9, 5.3, 5.2],
        to_date=41.3,
        to_date_target=38.0,
        to_date_note=_("10 of 10 months"),
        change="+3 %",
        coverage=96.4,
        worst_name="Florida",
        worst_href=HERE,
        why_href=HERE,
    )
    robbery = IndicatorLine(
        name=_("Robbery of motorcycles"),
        href=HERE,
        code="1.2",
        unit=_("cases"),
        decimals=0,
        value=131,
        target=118,
        attainment=88.98,
        marks=Band("red", True),
        spark=[90, 97, 110, 104, 120, 118, 126, 131],
        spark_target=[100, 102, 104, 106, 110, 112, 116, 118],
        to_date=1310,
        to_date_target=1180,
        to_date_note=_("8 of 10 months"),
        change="+12 %",
        coverage=71.4,
        worst_name="Nueva Prosperina",
        worst_href=HERE,
    )
    minors = IndicatorLine(
        name=_("Homicides of minors"),
        href=HERE,
        code="1.3",
        unit=_("victims"),
        decimals=0,
        value=5,
        target=4,
        attainment=75.0,
        marks=Band("red", False, True),
        spark=[2, 3, NAN, NAN, 4, NAN, 6, 5],
        spark_target=4,
        to_date=31,
        to_date_target=30,
        to_date_note=_("10 of 10 months"),
        change="+3",
        coverage=100.0,
    )
    return [homicides, robbery, minors]


def _presence() -> list[IndicatorLine]:
    """A line on target over a red child, and each way of having no light."""
    visits = IndicatorLine(
        name=_("Homes visited by community police"),
        href=HERE,
        code="2.1",
        unit=_("visits"),
        decimals=0,
        value=12840,
        target=12000,
        attainment=107.0,
        marks=Band("green", False, False, True),
        spark_target=12000,
        spark=[9000, 9800, 10100, 11000, 11700, 12100, 12840],
        to_date=98214,
        to_date_target=95000,
        to_date_note=_("10 of 10 months"),
        change="+8 %",
        coverage=100.0,
        worst_name="Pascuales",
        worst_href=HERE,
    )
    late = IndicatorLine(
        name=_("Response time, median"),
        href=HERE,
        code="2.2",
        unit=_("minutes"),
        decimals=1,
        target="7-9",
        spark=[9, 9.2, 8.8, 9.1, NAN],
        spark_target=9,
        to_date=9.0,
        to_date_target=9.0,
        to_date_note=_("4 of 10 months"),
    )
    void = IndicatorLine(
        name=_("Vehicles recovered"),
        href=HERE,
        code="2.3",
        unit="%",
        decimals=1,
        value=31.4,
        marks="not_evaluable",
        spark=[30, 29, 33, 31.4],
    )
    away = IndicatorLine(
        name=_("Port inspections"), href=HERE, code="2.4", unit=_("inspections"), marks="not_applicable"
    )
    held = IndicatorLine(
        name=_("Complaints answered in time"),
        href=HERE,
        code="2.5",
        unit="%",
        decimals=1,
        value=88.0,
        target=95.0,
        attainment=92.6,
        marks="withheld",
        spark=[91, 92, 88],
        spark_target=95,
        coverage=41.0,
    )
    return [visits, late, void, away, held]


def _objectives() -> list[ObjectiveLine]:
    return [
        ObjectiveLine(
            _("Reduce violent deaths by means of focused presence"), "O1", HERE, 60, 82.1, "red", _violence()
        ),
        ObjectiveLine(
            _("Increase trust by means of response and presence"),
            "O2",
            HERE,
            40,
            100,
            Band("green", False, False, True),
            _presence(),
        ),
    ]


_CELLS = [
    (0, 0, "green"), (1, 0, "green"), (2, 0, Band("green", True)), (3, 0, "amber"),
    (0, 1, "red"), (1, 1, "amber"), (2, 1, Band("red", True)), (3, 1, "red"), (4, 1, "green"),
    (0, 2, "no_data"), (1, 2, "green"), (2, 2, "withheld"), (3, 2, Band("amber", True)),
    (1, 3, "not_applicable"), (2, 3, "not_evaluable"), (3, 3, "amber"),
]  # fmt: skip


def _hexagon(column: int, row: int) -> dict:
    """A cell of a made-up country near the equator, as GeoJSON."""
    x, y = -80 + column * 0.866 + (row % 2) * 0.433, -row * 0.75
    ring = [
        [x + 0.5 * math.cos(math.pi / 6 + k * math.pi / 3), y + 0.5 * math.sin(math.pi / 6 + k * math.pi / 3)]
        for k in range(6)
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _map() -> Map:
    drawn = project({i: _hexagon(column, row) for i, (column, row, _band) in enumerate(_CELLS)}, width=720)
    areas = [
        Area(
            f"09D{i + 1:02d}",
            _("District %(n)s") % {"n": i + 1},
            drawn.paths[i],
            band,
            f"{90 + i * 3} %",
            f"{HERE}?district={i + 1}",
        )
        for i, (_column, _row, band) in enumerate(_CELLS)
    ]
    return Map("example-map", _("Districts by overall score, October 2023"), drawn.view_box, areas, _("Score"))


def _table(sort: str) -> Table:
    columns = [
        Column(_("District"), sort="name"),
        Column(_("Light"), "light", sort="light"),
        Column(_("Homicides"), "number", _("victims"), 0, sort="homicides"),
        Column(_("Rate"), "number", _("per 100,000"), 1, sort="rate"),
        Column(_("Change"), "number", narrow="hide"),
        Column(_("Coverage"), "percent", decimals=0),
        Column(_("12 months"), "spark"),
    ]
    rows = [
        [Cell("Nueva Prosperina", HERE, "09D08"), "red", 61, 10.4, "+24 %", 100.0, ([30, 38, 41, 55, 61], 40)],
        [Cell("Durán", HERE, "09D24"), Band("red", True), 1234, 14.9, "+61 %", 97.5, ([20, 31, 33, 46], 24)],
        [Cell("Pascuales", HERE, "09D07"), "amber", 12, 2.25, "−3 %", 100.0, ([12, NAN, 11, 12], 11)],
        [Cell("Samborondón", HERE, "09D23"), "green", 0, 0.0, "−2", 100.0, ([1, 2, 0, 0], 1)],
        [Cell("Salitre", HERE, "09D20"), "no_data", None, None, "", 0.0, None],
    ]
    if sort.lstrip("-") in ("name", "homicides"):
        at = 0 if sort.endswith("name") else 2
        rows.sort(key=lambda row: row[at].value if at == 0 else row[at] or -1, reverse=sort.startswith("-"))
    foot = [_("All"), "red", 1307, 9.1, "+38 %", 98.6, None]
    method = _("Zone 8, October 2023, plan 2023 version 3, formula version 2, provisional figures marked.")
    return Table(
        "example",
        _("Districts of Zone 8"),
        columns,
        rows,
        f"{HERE}?csv",
        f"{HERE}?xlsx",
        sort,
        f"{HERE}?sort={{sort}}",
        method=method,
        foot=foot,
    )


def _charts() -> list[Chart]:
    months = [f"{2022 + (9 + i) // 12}-{(9 + i) % 12 + 1:02d}-01" for i in range(13)]
    actual = [402, 415, 431, 512, 548, 590, NAN, 611, 640, 655, 702, 688, 731]
    before = [210, 222, 240, 260, 251, 263, 288, 301, 322, 340, 351, 377, 402]
    series = [
        Series(_("2023"), actual),
        Series(_("target"), [450 + 8 * i for i in range(13)], "target"),
        Series(_("a year before"), before, "before"),
    ]
    trend = Chart(
        "example-trend",
        _("Intentional homicides by month"),
        months,
        series,
        unit=_("victims"),
        decimals=0,
        source=_("made-up figures"),
    )
    names = ["Durán", "Nueva Prosperina", "Esteros", "Pascuales", "Samborondón"]
    bars = Chart(
        "example-bars",
        _("Districts, worst first"),
        names,
        [Series(_("rate"), [14.9, 10.4, 6.1, 2.3, 0.4])],
        "bars",
        _("per 100,000"),
        1,
        bands=["red", "red", "amber", "green", "green"],
    )
    return [trend, bars]


def _frame() -> dict:
    """What stands around a page: where it is, what it is compared with, its tabs."""
    siblings = [
        Link(_("Zone 8"), HERE, True, _("off target")),
        Link(_("Zone 9"), HERE, False, _("at risk")),
        Link(_("Zone 4"), HERE),
    ]
    return {
        "crumbs": [
            Crumb("Ecuador", HERE),
            Crumb(_("Zone 8"), HERE, siblings),
            Crumb("Guayaquil", HERE),
            Crumb("Nueva Prosperina", "", siblings[:2]),
        ],
        "compare": [
            Link(short_month(date(2022, 10, 1)), HERE, True),
            Link(_("last month"), HERE),
            Link(_("target"), HERE),
        ],
        "tabs": [
            Link(_("Scorecard"), HERE, True),
            Link(_("Enter figures"), HERE, False, "4"),
            Link(_("Plan"), HERE),
            Link(_("Method"), HERE),
        ],
        "month": MONTH,
        "first": date(2021, 1, 1),
        "last": date(2023, 12, 1),
        "simulated": True,
    }


def _panels() -> dict:
    events = [
        {
            "at": date_format(datetime(2023, 11, 9, 9, 12, tzinfo=UTC), "SHORT_DATETIME_FORMAT"),
            "what": _("131, approved"),
            "who": "A. Ruiz",
            "detail": _("checklist 7 of 7"),
            "is_current": True,
        },
        {
            "at": date_format(datetime(2023, 11, 5, 17, 40, tzinfo=UTC), "SHORT_DATETIME_FORMAT"),
            "what": _("131, corrected from 128"),
            "who": "M. Vera",
            "detail": _("three late reports, document 2231"),
        },
        {
            "at": date_format(datetime(2023, 11, 2, 8, 3, tzinfo=UTC), "SHORT_DATETIME_FORMAT"),
            "what": _("128, entered"),
            "who": "M. Vera",
        },
    ]
    return {
        "life_facts": [
            (_("Sheet"), _("Robbery of motorcycles, version 2")),
            (_("Source"), _("complaints")),
            (_("Numerator"), "131"),
        ],
        "life_events": events,
        "method_items": [
            (_("Plan"), _("2023 version 3")),
            (_("Formula"), _("version 2")),
            (_("Green from"), "95 %"),
            (_("Amber from"), "85 %"),
            (_("Coverage"), "96 %"),
        ],
        "messages_shown": [
            Message(SUCCESS, _("Saved: 131 robberies.")),
            Message(ERROR, _("Row 14: no unit has the code 09D99.")),
        ],
        "changes": [_("12 figures of October move"), _("3 lights change, one of them to red")],
    }


@login_required
def style(request: HttpRequest) -> HttpResponse:
    """The page /style."""
    bound = ExampleForm({"bad-value": "a few", "bad-month": "", "bad-applies": "y"}, prefix="bad")
    objectives = _objectives()
    context = {
        "bands": BANDS,
        "marked": [
            Band("green", True),
            Band("amber", True),
            Band("red", True),
            Band("green", False, False, True),
            Band("red", False, True),
        ],
        "objectives": objectives,
        "example_map": _map(),
        "example_table": _table(request.GET.get("sort", "")),
        "nothing": Table("nothing", _("Nothing"), [Column(_("Name"))], []),
        "charts": _charts(),
        "form": ExampleForm(),
        "bad_form": bound,
        "spark": objectives[0].lines[0].spark,
        "gaps": [4, NAN, 6, NAN, NAN, 5, 7, NAN],
        "flat": [5, 5, 5, 5],
        **_frame(),
        **_panels(),
    }
    return render(request, "style.html", context)
