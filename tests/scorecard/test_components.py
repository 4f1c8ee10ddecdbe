"""What components promise: one precision, missing is never 0, colour never alone, every text escaped."""

import itertools
import math
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from indicators.codes import Light, State, pack_marks
from scorecard import html, html_tables
from scorecard.components import (
    BANDS,
    Area,
    Band,
    Cell,
    Chart,
    Column,
    IndicatorLine,
    Map,
    ObjectiveLine,
    Series,
    Table,
    band_of,
    card_band,
    change,
    number,
    percent,
    sparkline,
)
from scorecard.mapping import Inset, project
from scorecard.templatetags import tablero
from scorecard.views import style

NAN = math.nan
NASTY = "<script>\"&'"
CSS = Path(__file__).parents[2] / "static/css/tablero.css"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


# Numbers


@pytest.mark.parametrize(
    ("value", "decimals", "en", "es"),
    [
        (1234567.8, 1, "1,234,567.8", "1.234.567,8"),
        (0, 0, "0", "0"),
        (-12.34, 1, "\u221212.3", "\u221212,3"),
        (-0.04, 1, "0.0", "0,0"),
        (94.95, 1, "95.0", "95,0"),
        (84.94, 1, "84.9", "84,9"),
        (0.15, 1, "0.2", "0,2"),
        (2.5, 0, "3", "3"),
        (5.25, None, "5.3", "5,3"),
        (5, None, "5", "5"),
        (1234.5, None, "1,235", "1.235"),
        (None, 1, "", ""),
        (NAN, 1, "", ""),
    ],
)
def test_number_prints_half_up_by_locale(value, decimals, en, es):
    assert number(value, decimals, "en") == en
    assert number(value, decimals, "es-ec") == es


@given(st.integers(0, 2000))
def test_attainment_prints_as_its_light_was_decided(tenths):
    """A figure half way between two tenths goes up, whatever its binary fraction lost."""
    half = (tenths + 0.5) / 10
    assert number(half, 1) == f"{(tenths + 1) / 10:,.1f}"


@pytest.mark.parametrize(
    ("now", "before", "is_count", "printed"),
    [
        (131, 117, True, "+12\u202f%"),
        (5, 2, True, "+3"),
        (1, 9, True, "\u22128"),
        (9.0, 4.5, False, "+100\u202f%"),
        (5, 0, True, "+5"),
        (117, 117, True, "0\u202f%"),
        (NAN, 10, True, ""),
        (10, None, True, ""),
    ],
)
def test_change_shows_the_count_where_the_base_is_small(now, before, is_count, printed):
    assert change(now, before, is_count=is_count) == printed


def test_missing_percentage_is_empty_not_zero():
    assert percent(NAN) == ""
    assert percent(0) == "0\u202f%"


# Lights


def test_band_follows_the_packed_marks():
    packed = pack_marks(State.EVALUATED, Light.RED, provisional=True, chance=True)
    assert band_of(int(packed)) == Band("red", True, True, False)
    assert band_of(int(pack_marks(State.NO_DATA, Light.NONE))).name == "no_data"
    assert band_of(int(pack_marks(State.NOT_APPLICABLE, Light.NONE))).name == "not_applicable"
    assert band_of(int(pack_marks(State.NOT_EVALUABLE, Light.NONE))).name == "not_evaluable"
    assert band_of(int(pack_marks(State.EVALUATED, Light.WITHHELD))).name == "withheld"


def test_red_below_stands_beside_green_alone():
    assert band_of(int(pack_marks(State.EVALUATED, Light.GREEN, red_below=True))).red_below
    assert not band_of(int(pack_marks(State.EVALUATED, Light.RED, red_below=True))).red_below
    assert card_band(Light.GREEN, has_red=True).red_below


def test_no_data_never_carries_a_mark():
    assert band_of(int(pack_marks(State.NO_DATA, Light.NONE, provisional=True, chance=True))) == Band("no_data")


def test_unknown_band_is_refused():
    with pytest.raises(ValueError, match="purple"):
        band_of("purple")


def test_every_light_has_a_word_and_a_shape_of_its_own():
    drawn = {name: html.light(name) for name in BANDS}
    assert len({re.search(r"<svg.*?</svg>", text)[0].split(">", 1)[1] for text in drawn.values()}) == len(BANDS)
    for name, text in drawn.items():
        assert str(html.BAND_WORDS[name]) in text


def test_marks_are_said_in_words():
    text = html.light(Band("red", True, True))
    assert "provisional" in text
    assert "not distinguishable from chance" in text
    assert "red below" in html.light(Band("green", red_below=True))


def test_light_takes_a_numpy_cell():
    assert html.light(pack_marks([3], [1])[0]) == html.light("green")


# Sparkline


def test_missing_months_are_gaps_and_lone_months_dots():
    spark = sparkline([1, NAN, 2, 3, None], target=2)
    assert spark.line.count("M") == 2
    assert spark.line.count("m-") == 1
    assert spark.target.count("M") == 1
    assert not spark.is_current


def test_nothing_measured_draws_nothing():
    assert sparkline([NAN, None], 3) is None
    assert html.sparkline([], 3) == ""


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=24),
    st.one_of(st.none(), st.floats(-1e9, 1e9)),
)
@example([5e-324, 0], None)
def test_sparkline_stays_in_its_box(values, target):
    spark = sparkline(values, target)
    if spark is None:
        return
    for x, y in re.findall(r"[ML](\S+) ([^MLHm]+)", spark.line + spark.target):
        assert 0 <= float(x) <= 96
        assert 0 <= float(y) <= 20


# Escaping


def test_texts_of_people_are_escaped_everywhere():
    line = IndicatorLine(
        NASTY, f"/{NASTY}", NASTY, NASTY, worst_name=NASTY, worst_href=NASTY, change=NASTY, to_date_note=NASTY
    )
    table = Table("t", NASTY, [Column(NASTY, unit=NASTY)], [[Cell(NASTY, NASTY, NASTY)]], NASTY, NASTY, method=NASTY)
    area = Area(NASTY, NASTY, "M0 0z", "red", NASTY, NASTY)
    drawn = [
        html.scorecard_table([ObjectiveLine(NASTY, NASTY, NASTY, lines=[line])], NASTY, NASTY),
        html.figure(1, NASTY, 0, NASTY, NASTY, NASTY),
        html_tables.table_html(table),
        tablero.map_areas(Map("m", NASTY, "0 0 1 1", [area, area])),
    ]
    for text in drawn:
        assert "<script" not in text
        assert NASTY[8:] not in text


# Tables


def test_missing_cells_are_empty_and_zero_is_zero():
    table = Table("t", "Districts", [Column("Name"), Column("Homicides", "number", decimals=0)], [["A", 0], ["B", NAN]])
    text = html_tables.table_html(table)
    assert 'data-v="0">0</td>' in text
    assert '<td class="n" data-l="Homicides"></td>' in text


def test_sorted_heading_says_so_and_leads_the_other_way():
    table = Table("t", "T", [Column("Name", sort="name")], [["A"]], sort="name", sort_href="/x?sort={sort}")
    text = html_tables.table_html(table)
    assert 'aria-sort="ascending"' in text
    assert 'href="/x?sort=-name"' in text


def test_row_of_another_width_is_refused():
    with pytest.raises(ValueError, match="zip"):
        html_tables.table_html(Table("t", "T", [Column("Name")], [["A", "B"]]))


def test_chart_says_the_same_as_its_table():
    chart = Chart("c", "C", ["2023-01-01", "2023-02-01"], [Series("v", [1.0, NAN])], labels=["January", "February"])
    assert chart.payload["series"][0]["y"] == [1.0, None]
    assert chart.twin("Month").rows == [["January", 1.0], ["February", NAN]]


# Maps


def square(x, y, size=1.0):
    return {"type": "Polygon", "coordinates": [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]]}


def vertices(path):
    """The corners of a path, absolute."""
    start, steps = re.match(r"M(\S+ \S+?)l(.*?)z", path).groups()
    flat = [float(n) for n in steps.split()]
    moves = np.vstack([np.array([float(n) for n in start.split()]), np.array(flat).reshape(-1, 2)])
    return {tuple(v) for v in np.round(moves.cumsum(axis=0), 1).tolist()}


def test_neighbours_keep_their_common_border():
    paths = project({"a": square(-80, -1), "b": square(-79, -1)}, width=100).paths
    assert len(vertices(paths["a"]) & vertices(paths["b"])) == 2


def test_scale_is_true_at_the_middle_latitude():
    view = project({"a": square(0, 59.5)}, width=100).view_box
    assert view == "0 0 100 200"


def test_area_smaller_than_the_grid_is_still_drawn():
    paths = project({"a": square(0, 0, 10), "b": square(5, 5, 1e-6)}, width=100).paths
    assert paths["b"].startswith("M")


def test_inset_moves_what_lies_inside_it():
    far = {"main": square(-80, 0), "island": square(-91, 0)}
    plain = project(far, width=100)
    moved = project(far, width=100, insets=[Inset(-93, -2, -89, 3, 9)])
    assert float(plain.view_box.split()[3]) < float(moved.view_box.split()[3])


def test_points_and_lines_have_no_area():
    assert project({"a": {"type": "Point", "coordinates": [0, 0]}}).paths == {"a": ""}


def test_map_areas_carry_light_in_words_and_texture():
    areas = [Area(str(i), name, "M0 0z", name, "9", "/x") for i, name in enumerate(BANDS)]
    drawn = Map("m", "Map", "0 0 1 1", areas)
    text, fills = tablero.map_areas(drawn), tablero.map_patterns(drawn)
    for name in BANDS:
        assert f'aria-label="{name}: 9, {html.BAND_WORDS[name]}"' in text
        assert f'id="m-{name}"' in fills
    textures = re.findall(r'h8v8H0z"/>(.*?)</pattern>', fills)
    assert len(set(textures[:3])) == 3


# Frame


def rendered(template, **context):
    request = RequestFactory().get("/x?a=1", headers={"cookie": context.pop("cookie", "")})
    return Template("{% load tablero %}" + template).render(Context({"request": request, **context}))


def test_theme_comes_from_the_cookie_and_nothing_else_does():
    assert rendered("{% theme_attribute %}", cookie="theme=dark") == ' data-theme="dark"'
    assert rendered("{% theme_attribute %}", cookie="theme=x") == ""


def test_month_stepper_stops_at_the_ends():
    text = rendered(
        '{% month_stepper month "/u?month={month}" first last %}',
        month=date(2023, 1, 1),
        first=date(2023, 1, 1),
        last=date(2023, 3, 1),
    )
    assert 'rel="prev"' not in text
    assert 'href="/u?month=2023-02" data-key="]"' in text
    assert text.count("<li>") == 3


def test_month_stepper_crosses_the_year():
    assert tablero.shifted(date(2023, 1, 1), -1) == date(2022, 12, 1)
    assert tablero.shifted(date(2023, 12, 1), 1) == date(2024, 1, 1)


def test_numbers_follow_the_language_of_the_page():
    with translation.override("es"):
        assert rendered("{{ v|num:1 }}", v=1234.5) == "1.234,5"
        assert "1.234,5" in html.figure(1234.5, decimals=1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["403.html", "404.html", "500.html", "registration/logged_out.html"])
def test_plain_pages_render_for_a_stranger(name):
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    text = render_to_string(name, request=request)
    assert "<h1>" in text
    assert 'lang="en"' in text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "es"])
def test_style_page_shows_every_component_in_every_state(language):
    request = RequestFactory().get("/style?sort=-homicides")
    request.user = SimpleNamespace(is_authenticated=True, get_short_name="A. Ruiz", get_full_name="Ana Ruiz")
    with translation.override(language):
        text = style.style(request).content.decode()
        words = [str(html.BAND_WORDS[name]) for name in BANDS]
    for said in [*words, "data-map", "data-chart", "<dialog", "<progress", 'class="errors"', 'aria-sort="descending"']:
        assert said in text, said


# Colours


def tokens(block):
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))


def themes():
    css = CSS.read_text()
    blocks = [tokens(b) for b in re.findall(r":root[^{,]*\{([^}]*--paper[^}]*)\}", css)]
    return {"light": blocks[0], "dark": blocks[1], "dark by system": blocks[2]}


def luminance(colour):
    colour = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_and_lights_are_seen(theme):
    colours = themes()[theme]
    for text, ground in itertools.product(("ink", "ink2", "accent"), ("paper", "paper2", "raise", "soft")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on"], colours["accent"]) >= 4.5
    for light in ("green", "amber", "red", "rule2"):
        assert contrast(colours[light], colours["paper"]) >= 3, light


def test_both_ways_to_dark_are_the_same():
    assert themes()["dark"] == themes()["dark by system"]


def test_only_lights_use_the_colours_of_lights():
    css = re.sub(r"--(green|amber|red):", "", CSS.read_text())
    users = re.findall(r"([^{}]+)\{[^{}]*var\(--(?:green|amber|red)\)", css)
    assert users
    for selector in users:
        assert re.search(r"\.(l-|l |f-)", selector), selector


def test_style_sheet_stays_small():
    assert CSS.stat().st_size < 30_000
