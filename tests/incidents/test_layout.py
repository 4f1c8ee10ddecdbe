"""Headings are found in any order and slightly misspelt, and never guessed where two could be meant."""

import pytest

from incidents import layout
from incidents.layout import LayoutError, edits, find_header, match
from tests.incidents.files import HEADER

MDI = layout.load("mdi-homicides")


def test_every_layout_can_be_loaded():
    assert "mdi-homicides" in layout.names()
    for name in layout.names():
        assert layout.load(name).name == name


def test_columns_are_found_in_any_order():
    found = match(MDI, HEADER[::-1])
    assert found.columns["category"] == len(HEADER) - 1
    assert found.columns["victim.age"] == HEADER[::-1].index("edad")
    assert found.guessed == {}
    assert found.unread == []


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("Código Subcircuito", "place"),
        (" FECHA INFRACCIÓN ", "date"),
        ("Coordenada_X", "longitude"),
        ("cordenada_y", "latitude"),
        ("tipo_muerto", "category"),
        ("Etnía", "victim.ethnicity"),
        ("presunta_motivación_observada", "environment.observed_motive"),
    ],
)
def test_accents_capitals_and_small_misspellings_are_read(written, field):
    assert match(MDI, [written]).columns == {field: 0}


@pytest.mark.parametrize("written", ["coordenada_z", "coordenada", "edat_", "subzonas", "nombre", ""])
def test_a_heading_that_could_be_two_or_none_is_not_guessed(written):
    assert match(MDI, [written]).columns == {}


def test_a_misspelt_heading_never_takes_the_place_of_an_exact_one():
    found = match(MDI, ["coordenada_x", "cordenada_x"])
    assert found.columns == {"longitude": 0}
    assert found.unread == ["cordenada_x"]


def test_a_cover_may_stand_above_the_header():
    rows = [["Ministerio del Interior"], [], ["Corte: 30 de noviembre"], HEADER]
    assert find_header(MDI, rows).header_row == 3


def test_a_file_of_another_layout_is_named_by_what_it_lacks():
    with pytest.raises(LayoutError) as caught:
        find_header(MDI, [["anio", "delito", "fecha_infraccion"], [2023, "ROBO", "x"]])
    assert caught.value.missing == ["tipo_muerte", "codigo_subcircuito"]
    assert caught.value.seen == ["anio", "delito", "fecha_infraccion"]


@pytest.mark.parametrize(
    ("a", "b", "count"), [("", "", 0), ("abc", "", 3), ("casa", "cassa", 1), ("edad", "dead", 2), ("x", "y", 1)]
)
def test_edits_count_letters(a, b, count):
    assert edits(a, b) == edits(b, a) == count
