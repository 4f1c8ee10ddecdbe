"""Every trap of the published files: mended by a rule that is counted, or refused with row, field and rule."""

from datetime import date, time

import numpy as np
import pytest

from incidents import layout
from incidents.layout import find_header
from incidents.parse import NO_TIME, parse, refuse_outside
from incidents.reader import Table
from tests.incidents.files import HEADER, cells, row

MDI = layout.load("mdi-homicides")
BOX = (-92.2, -5.1, -75.1, 1.8)


def parsed(*rows, header=HEADER, extra=()):
    table = [*cells(rows, header), *extra]
    return parse(Table("Datos", table, find_header(MDI, table)), MDI, as_of=date(2024, 12, 2), box=BOX)


def test_a_plain_row_is_taken_as_it_stands():
    found = parsed(row())
    assert found.mended == {}
    assert found.refused == []
    assert found.days[0] == np.datetime64("2023-05-17")
    assert found.seconds[0] == 77_400
    assert (found.longitude[0], found.latitude[0]) == (-79.9, -2.2)
    assert found.category.labels == ["HOMICIDE.MURDER"]
    assert found.place.labels == ["09D01C01S01"]
    assert found.variables["victim.age"][0] == 30
    assert found.variables["environment.canton"].codes == [901]
    assert found.rows.tolist() == [2]


@pytest.mark.parametrize(
    ("x", "y", "rule"),
    [
        (0, 0, "point_zero"),
        (0.0, "0", "point_zero"),
        ("", "", "point_missing"),
        ("SIN_DATO", "SIN_DATO", "point_missing"),
        (-79.9, None, "point_missing"),
        ("2°12'S", -2.2, "point_unreadable"),
        (-79.9, 40.7, "point_outside"),
        (-2.2, -79.9, "point_outside"),  # the axes changed over
        (0, -2.2, "point_outside"),
        (624000.5, 9755000.5, "point_outside"),  # metres of a projection
    ],
)
def test_a_point_that_cannot_be_believed_is_missing_and_counted(x, y, rule):
    found = parsed(row(coordenada_x=x, coordenada_y=y))
    assert np.isnan(found.longitude[0])
    assert np.isnan(found.latitude[0])
    assert found.mended == {rule: 1}
    assert len(found) == 1


def test_a_point_in_the_galapagos_is_inside_the_country():
    assert parsed(row(coordenada_x=-90.3371889, coordenada_y=-0.6393592)).mended == {}


def test_decimal_commas_are_read_and_counted():
    found = parsed(row(coordenada_x="-79,97467", coordenada_y="-2,12069"))
    assert (found.longitude[0], found.latitude[0]) == (-79.97467, -2.12069)
    assert found.mended == {"decimal_comma": 1}


@pytest.mark.parametrize(
    ("hour", "seconds", "mended"),
    [
        ("21:30", 77_400, {}),
        (time(21, 30), 77_400, {}),
        (0.5, 43_200, {"time_fraction": 1}),
        ("SIN_DATO", NO_TIME, {"time_missing": 1}),
        ("de noche", NO_TIME, {"time_unreadable": 1}),
    ],
)
def test_hours_are_text_or_times(hour, seconds, mended):
    found = parsed(row(hora_infraccion=hour))
    assert found.seconds[0] == seconds
    assert found.mended == mended


def test_spaces_are_taken_away_and_rows_counted_once():
    found = parsed(row(tipo_arma="PISTOLA             ", etnia=" MESTIZO/A"), row())
    assert found.mended == {"spaces": 1}
    assert found.variables["environment.weapon_type"].labels == ["PISTOLA"]
    assert found.variables["environment.weapon_type"].index.tolist() == [0, 0]


def test_values_that_differ_in_accents_and_capitals_alone_are_one():
    found = parsed(row(lugar="Vía Pública"), row(lugar="VIA PUBLICA"))
    assert found.variables["environment.place"].index.tolist() == [0, 0]


def test_codes_are_the_same_as_text_padded_and_as_number():
    found = parsed(row(codigo_canton="0901"), row(codigo_canton=901.0), row(codigo_canton="901"))
    assert found.variables["environment.canton"].index.tolist() == [0, 0, 0]


def test_an_unreadable_code_is_found_by_its_name_in_another_row():
    found = parsed(row(codigo_canton="05D02", canton="LA MANA"), row(codigo_canton="0502", canton="LA MANÁ"))
    canton = found.variables["environment.canton"]
    assert canton.codes == [502]
    assert canton.index.tolist() == [0, 0]
    assert found.mended == {"code_by_label": 1}


def test_an_unreadable_code_whose_name_has_none_keeps_the_name():
    canton = parsed(row(codigo_canton="05D02", canton="LA MANA"), row()).variables["environment.canton"]
    assert dict(zip(canton.labels, canton.codes, strict=True)) == {"LA MANA": None, "GUAYAQUIL": 901}
    assert [canton.labels[i] for i in canton.index] == ["LA MANA", "GUAYAQUIL"]


def test_an_unreadable_code_without_a_name_is_not_stated():
    found = parsed(row(codigo_canton="05D02", canton="SIN_DATO"))
    assert found.variables["environment.canton"].index.tolist() == [-1]
    assert found.mended == {"code_unreadable": 1}


@pytest.mark.parametrize(
    ("written", "code", "mended"),
    [
        ("09D01C01S01", "09D01C01S01", {}),
        ("09d01c01s01", "09D01C01S01", {}),
        ("9D1C1S1", "09D01C01S01", {"place_padded": 1}),
        ("09D01 C01 S01", "09D01C01S01", {"place_padded": 1}),
        ("09D01", "09D01", {}),
        ("09D01C01", "09D01C01", {}),
        ("000C01S01", "000C01S01", {}),
    ],
)
def test_codes_of_places_have_their_zeros(written, code, mended):
    found = parsed(row(codigo_subcircuito=written))
    assert found.place.labels == [code]
    assert found.mended == mended


@pytest.mark.parametrize("age", ["SIN_DATO", "", None])
def test_an_age_that_is_not_stated_is_nothing_and_no_fault(age):
    found = parsed(row(edad=age))
    assert np.isnan(found.variables["victim.age"][0])
    assert found.mended == {}


@pytest.mark.parametrize(
    ("age", "rule"), [("treinta", "number_unreadable"), (200, "number_range"), (-1, "number_range")]
)
def test_an_age_that_cannot_be_is_not_stated_and_counted(age, rule):
    found = parsed(row(edad=age))
    assert np.isnan(found.variables["victim.age"][0])
    assert found.mended == {rule: 1}


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"tipo_muerte": "SUICIDIO"}, "category", "category_unknown"),
        ({"tipo_muerte": "SIN_DATO"}, "category", "category_missing"),
        ({"fecha_infraccion": ""}, "date", "date_missing"),
        ({"fecha_infraccion": "31/02/2023"}, "date", "date_unreadable"),
        ({"fecha_infraccion": date(2024, 12, 3)}, "date", "date_future"),
        ({"fecha_infraccion": date(1999, 12, 31)}, "date", "date_early"),
        ({"codigo_subcircuito": "CENTRO"}, "place", "place_unreadable"),
        ({"lugar": "x" * 161}, "environment.place", "too_long"),
    ],
)
def test_a_row_that_cannot_be_taken_names_row_field_and_rule(changes, field, rule):
    found = parsed(row(), row(**changes), row())
    assert [(refusal.row, refusal.field, refusal.rule) for refusal in found.refused] == [(3, field, rule)]
    assert len(found) == 2
    assert found.rows.tolist() == [2, 4]


def test_a_refused_row_is_not_counted_as_mended():
    found = parsed(row(tipo_muerte="SUICIDIO", coordenada_x=0, coordenada_y=0), row(coordenada_x=0, coordenada_y=0))
    assert found.mended == {"point_zero": 1}


def test_rows_with_too_few_or_too_many_columns_are_refused():
    plain = cells([row()])[1]
    found = parsed(row(), extra=[plain[:5], [*plain, "MORE"], [*plain, "", None]])
    assert [(refusal.row, refusal.rule) for refusal in found.refused] == [(3, "row_short"), (4, "row_long")]
    assert len(found) == 2


def test_empty_rows_are_counted_and_skipped():
    found = parsed(row(), extra=[["", None, "  "], [], cells([row()])[1]])
    assert (found.read, found.blank, len(found)) == (2, 2, 2)
    assert found.rows.tolist() == [2, 5]


def test_repeated_rows_are_counted_and_none_is_dropped():
    found = parsed(row(), row(), row(sexo="MUJER"), row(tipo_arma="PISTOLA "))
    assert found.repeated == 2
    assert len(found) == 4


def test_a_column_that_is_not_there_says_nothing():
    header = [name for name in HEADER if name not in ("etnia", "coordenada_x", "coordenada_y", "hora_infraccion")]
    found = parsed(row(), header=header)
    assert "victim.ethnicity" not in found.variables
    assert found.seconds.tolist() == [NO_TIME]
    assert np.isnan(found.longitude[0])
    assert found.mended == {}


def test_rows_outside_the_months_said_to_be_covered_are_refused():
    found = parsed(row(), row(fecha_infraccion=date(2023, 6, 1)))
    refuse_outside(found, date(2023, 5, 1), date(2023, 6, 1))
    assert [(refusal.row, refusal.rule) for refusal in found.refused] == [(3, "outside_period")]
    assert len(found) == 1
