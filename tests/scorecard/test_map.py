"""The map draws what is below a unit, says in words what it colours, and its table says the same."""

import re

import pytest

from scorecard.geometry import paths_of
from scorecard.queries import cards_of
from tests.factories import MONTH
from tests.scorecard.country import text_of
from tests.scorecard.test_scorecard_page import reading
from units.models import Boundary

pytestmark = pytest.mark.django_db
PAGE = "/units/PN-EC/?month=2023-10"


@pytest.fixture
def country(standing_country):
    return standing_country


def areas(response):
    """(code, address or None, what a screen reader hears) of every area."""
    found = re.findall(r'<(a|g) ([^>]*aria-label="([^"]*)" data-code="([^"]*)")', response.content.decode())
    links = [re.search(r'href="([^"]*)"', attributes) for _, attributes, _, _ in found]
    return [(code, link and link[1], label) for (_, _, label, code), link in zip(found, links, strict=True)]


def test_every_delimited_child_is_a_link_down_that_says_its_figure_and_light(minister, country):
    drawn = {code: (href, label) for code, href, label in areas(minister.get(PAGE))}
    assert set(drawn) == {"PN-Z1", "PN-Z2"}
    for child in reading(country, "PN-EC").children:
        if child.code in drawn:
            href, label = drawn[child.code]
            assert href == f"/units/{child.code}/?month=2023-10"
            assert label.startswith(f"{child.name}: {child.score:.1f}")


def test_the_chosen_indicator_colours_the_map_and_stays_chosen_on_the_way_down(minister):
    found = areas(minister.get(f"{PAGE}&by=PN.SOLVED"))
    assert found
    for code, href, label in found:
        assert href == f"/units/{code}/?month=2023-10&amp;by=PN.SOLVED"
        assert re.search(r": \d+\.\d %", label)


def test_what_is_not_delimited_is_in_the_table_and_in_a_note(minister):
    body = text_of(minister.get(PAGE))
    assert "Not delimited, so only in the table: Not delimited zone." in body
    assert 'href="/units/PN-Z0/?month=2023-10">Not delimited zone' in minister.get(PAGE).content.decode()


def test_drawn_boundaries_are_called_schematic(minister, country):
    assert "Schematic boundaries" in text_of(minister.get(PAGE))
    Boundary.objects.update(is_schematic=False)
    assert "Schematic boundaries" not in text_of(minister.get(PAGE))


def test_the_table_lists_the_worst_first(minister, country):
    body = minister.get(PAGE).content.decode()
    table = body[body.index('id="children"') :]
    order = [child.name for child in reading(country, "PN-EC").children]
    places = [table.index(f">{name}</a>") for name in order]
    assert places == sorted(places)
    scores = [child.score for child in reading(country, "PN-EC").children if child.rank < float("inf")]
    assert scores == sorted(scores)


def test_a_unit_without_any_below_shows_its_own_place(minister):
    response = minister.get("/units/PN-01D01C01/?month=2023-10")
    assert [(code, href) for code, href, _ in areas(response)] == [("PN-01D01C01", None)]
    assert "No units below" in text_of(response)


def test_paths_are_drawn_once_and_again_when_a_boundary_changes(country, count_queries):
    unit = country.unit("PN-Z1")
    first = paths_of(cards_of(unit, MONTH).children)
    with count_queries() as queries:
        again = paths_of(cards_of(unit, MONTH).children)
    assert len(queries) == 1
    assert again is first
    boundary = Boundary.objects.get(territory__code="01D01")
    boundary.geometry = {"type": "Polygon", "coordinates": [[[-80, -4], [-79, -4], [-79, -3], [-80, -4]]]}
    boundary.save()
    changed = paths_of(cards_of(unit, MONTH).children)
    pk = country.unit("PN-01D01").pk
    assert changed.paths[pk] != first.paths[pk]


def test_a_boundary_that_does_not_hold_in_the_month_is_not_drawn(minister):
    Boundary.objects.filter(territory__code="Z2").update(valid_to=MONTH)
    response = minister.get(PAGE)
    assert [code for code, _, _ in areas(response)] == ["PN-Z1"]
    assert "2 units" not in text_of(response)
    assert "only in the table" in text_of(response)


def test_map_data_are_the_figures_of_the_map(minister, country):
    said = minister.get("/units/PN-EC/map.json?month=2023-10&by=PN.SOLVED").json()
    assert said["by"] == "PN.SOLVED"
    assert said["columns"] == ["code", "name", "light", "provisional", "figure", "attainment"]
    page = reading(country, "PN-EC", "PN.SOLVED")
    assert said["children"] == [
        [c.code, c.name, c.band.name, c.band.provisional, c.span.value, c.span.attainment] for c in page.children
    ]


@pytest.mark.parametrize("method", ["equal", "quantile", "natural"])
def test_figures_may_be_classed_instead_and_the_legend_says_the_classes(minister, method):
    response = minister.get(f"{PAGE}&classes={method}")
    body = response.content.decode()
    legend = re.findall(r'<path class="k-h(\d)"[^>]*/></svg> ([^<]+) <b>(\d+)</b>', body)
    assert len(legend) == (5 if method == "equal" else 2)  # two areas, each of its own class
    assert sum(int(count) for _, _, count in legend) == len(areas(response))
    assert [shade for shade, _, _ in legend] == ["5", "4"] or method == "equal"
    for _code, _href, label in areas(response):
        assert any(label.endswith(words) for _, words, _ in legend)


def test_another_classing_is_the_lights(minister):
    body = minister.get(f"{PAGE}&classes=rainbow").content.decode()
    assert "k-h5" not in body
    assert areas(minister.get(f"{PAGE}&classes=rainbow")) == areas(minister.get(PAGE))
