"""A publication comes in whole or not at all, changes what it revises, and the same one twice changes nothing."""

import hashlib
from datetime import date, time

import numpy as np
import pytest
from django.db import connection

from incidents import actions, layout
from incidents.accounts import PublishError
from incidents.actions import Request
from incidents.actions import take as take_parsed
from incidents.layout import LayoutError, find_header
from incidents.models import (
    Incident,
    IncidentKey,
    IncidentPast,
    PlaceCode,
    PlacePrecision,
    Publication,
    TimePrecision,
    Variable,
    VariableCode,
    Victim,
)
from incidents.parse import parse
from incidents.reader import Table
from indicators.models import Batch, Measurement, StaleMark
from tests.incidents.conftest import NOW
from tests.incidents.files import HEADER, cells, row, write_csv, write_xlsx
from units.files import FileError
from units.models import Boundary, Institution, Level, Territory

TABLES = (
    Incident, Victim, IncidentPast, IncidentKey, Publication, Batch, Measurement, StaleMark, VariableCode, PlaceCode,
)  # fmt: skip


def everything():
    """All that an import could write, row by row."""
    with connection.cursor() as cursor:
        found = {}
        for model in TABLES:
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t ORDER BY 1")
            found[model.__name__] = cursor.fetchall()
    return found


def value(incident, key):
    """The code's label that an incident has for a variable of the environment."""
    variable = Variable.objects.get(factor="environment", key=key)
    code = incident.codes[variable.position] if variable.position < len(incident.codes) else 0
    return VariableCode.objects.get(variable=variable, code=code).label if code else ""


def test_a_row_becomes_an_incident_with_one_victim(country, take):
    outcome = take([row()])
    incident = Incident.objects.get()
    assert (incident.occurred_on, incident.occurred_at) == (date(2023, 5, 17), time(21, 30))
    assert incident.time_precision == TimePrecision.MINUTE
    assert incident.source == country.ministry
    assert incident.category.code == "HOMICIDE.MURDER"
    assert incident.territory.code == "09D01C01S01"
    assert incident.place_code_id is None
    assert incident.place_precision == PlacePrecision.POINT
    assert (incident.longitude, incident.latitude) == (-79.9, -2.2)
    assert incident.publication == outcome.publication
    assert [value(incident, key) for key in ("weapon", "weapon_type", "place")] == [
        "ARMA DE FUEGO",
        "PISTOLA",
        "VIA PUBLICA",
    ]
    victim = Victim.objects.get()
    assert (victim.occurred_on, victim.incident_id, victim.ordinal) == (incident.occurred_on, incident.id, 1)
    age = Variable.objects.get(factor="victim", key="age")
    assert victim.numbers[age.position] == 30
    sex = Variable.objects.get(factor="victim", key="sex")
    assert VariableCode.objects.get(variable=sex, code=victim.codes[sex.position]).label == "HOMBRE"


def test_what_is_not_stated_stays_so(country, take):
    take([row(hora_infraccion="SIN_DATO", coordenada_x=0, coordenada_y=0, edad="SIN_DATO", sexo="SIN_DATO")])
    incident = Incident.objects.get()
    assert incident.occurred_at is None
    assert incident.time_precision == TimePrecision.DAY
    assert (incident.longitude, incident.latitude) == (None, None)
    assert incident.place_precision == PlacePrecision.SUBCIRCUIT
    victim = Victim.objects.get()
    assert all(np.isnan(number) for number in victim.numbers)
    assert victim.codes[Variable.objects.get(factor="victim", key="sex").position] == 0


def test_the_same_file_twice_changes_nothing(country, take):
    rows = [row(), row(), row(sexo="MUJER"), row(codigo_subcircuito="000C09S01"), row(coordenada_x=0, coordenada_y=0)]
    first = take(rows)
    before = everything()
    again = take(rows)
    assert everything() == before
    assert again.publication == first.publication
    assert again.report["outcome"] == {"unchanged": 5, "added": 0, "changed": 0, "removed": 0}


def test_the_same_content_in_another_form_changes_no_incident(country, take, tmp_path):
    rows = [row(), row(codigo_canton=901.0, hora_infraccion="21:30", edad="30"), row(coordenada_x=-79.12345)]
    take(rows)
    before = everything()
    header = HEADER[::-1]
    other = write_xlsx(tmp_path / "otra.xlsx", rows[::-1], header=header, cover_sheet=True)
    outcome = take(other)
    after = everything()
    assert outcome.report["outcome"] == {"unchanged": 3, "added": 0, "changed": 0, "removed": 0}
    assert outcome.report["file"]["sheet"] == "Datos"
    for name in ("Incident", "Victim", "IncidentPast", "Measurement", "VariableCode"):
        assert after[name] == before[name]
    assert Publication.objects.count() == 2  # that it was published again is a fact of its own


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_texts_come_in_any_encoding_and_delimiter(country, take, tmp_path, encoding, delimiter):
    cover = [["Ministerio del Interior: publicación"], ["Corte: noviembre"]]
    said = row(profesion_registro_civil="CAÑERO")
    path = write_csv(tmp_path / "f.csv", [said], delimiter=delimiter, encoding=encoding, cover=cover)
    assert take(path).report["rows"]["taken"] == 1
    assert VariableCode.objects.get(variable__key="occupation", label="CANERO").name == "CAÑERO"


def test_a_revision_is_told_with_old_and_new_and_keeps_ids_and_past(country, take):
    base = [
        row(
            edad=age,
            fecha_infraccion=date(2023, 5, age),
            coordenada_x=-79.9 + age / 1000,
            profesion_registro_civil=f"P{age}",
        )
        for age in range(1, 9)
    ]
    take(base)
    ids = dict(Incident.objects.values_list("occurred_on", "id"))
    revised = [
        {**base[0], "tipo_muerte": "SICARIATO"},
        {
            **base[1],
            "codigo_subcircuito": "09D02C01S01",
            "coordenada_x": -79.8,
            "codigo_canton": "0907",
            "canton": "DURAN",
        },
        {**base[2], "fecha_infraccion": date(2023, 6, 3)},
        {**base[3], "coordenada_x": 0, "coordenada_y": 0},
        {**base[4], "hora_infraccion": "SIN_DATO"},
        {**base[5], "sexo": "MUJER", "etnia": "AFRO"},
        base[6],
        row(edad=77, fecha_infraccion=date(2023, 5, 30), arma="OTROS", tipo_arma="PALO", lugar="RIO", sexo="MUJER"),
    ]
    outcome = take(revised)
    told = outcome.report["revised"]
    assert told["labels"] == {"reclassified": 1, "moved": 1, "redated": 1, "point": 1, "retimed": 1, "corrected": 1}
    assert told["counts"] == {"added": 1, "removed": 1, "changed": 6}
    assert outcome.report["outcome"]["unchanged"] == 1
    by_id = {change["id"]: change for change in told["changed"]}
    assert by_id[ids[date(2023, 5, 1)]]["facts"] == {"category": ["HOMICIDE.MURDER", "HOMICIDE.CONTRACT"]}
    moved = by_id[ids[date(2023, 5, 2)]]["facts"]["where"]
    assert [side["place"] for side in moved] == ["09D01C01S01", "09D02C01S01"]
    assert by_id[ids[date(2023, 5, 3)]]["facts"] == {"date": ["2023-05-03", "2023-06-03"]}
    assert by_id[ids[date(2023, 5, 6)]]["facts"] == {"victim.sex": ["Hombre", "Mujer"], "victim.ethnicity": ["*", "*"]}
    assert told["removed"][0]["id"] == ids[date(2023, 5, 8)]
    assert told["added"][0]["row"] == 9
    assert Incident.objects.get(id=ids[date(2023, 5, 3)]).occurred_on == date(2023, 6, 3)
    past = IncidentPast.objects.get(incident_id=ids[date(2023, 5, 6)])
    assert past.changes == ["victim.sex", "victim.ethnicity"]
    assert past.victims[0]["codes"][0] == 1
    assert (past.fate, past.replaced_by) == ("changed", outcome.publication)
    assert IncidentPast.objects.get(fate="removed").incident_id == ids[date(2023, 5, 8)]
    assert not Victim.objects.filter(incident_id=ids[date(2023, 5, 8)]).exists()


def test_an_incident_may_move_to_another_year_with_its_victim(country, take):
    take([row(fecha_infraccion=date(2023, 12, 31)), row(fecha_infraccion=date(2023, 12, 1), edad=8)])
    moved = Incident.objects.get(occurred_on=date(2023, 12, 31)).id
    outcome = take([row(fecha_infraccion=date(2024, 1, 1)), row(fecha_infraccion=date(2023, 12, 1), edad=8)])
    assert outcome.report["revised"]["labels"] == {"redated": 1}
    assert Incident.objects.get(id=moved).occurred_on == date(2024, 1, 1)
    assert Victim.objects.get(incident_id=moved).occurred_on == date(2024, 1, 1)


def test_an_older_vintage_brought_in_again_takes_the_revision_back(country, take):
    old, new = [row(), row(edad=8)], [row(tipo_muerte="SICARIATO"), row(edad=8)]
    take(old)
    take(new)
    take(old)
    assert set(Incident.objects.values_list("category__code", flat=True)) == {"HOMICIDE.MURDER"}
    assert IncidentPast.objects.count() == 2
    assert Publication.objects.count() == 3


def test_a_file_without_a_column_leaves_what_was_known(country, take, tmp_path):
    take([row(edad=age) for age in (20, 30)])
    before = everything()
    lacking = [
        name
        for name in HEADER
        if name not in ("etnia", "coordenada_x", "coordenada_y", "hora_infraccion", "codigo_canton")
    ]
    path = write_csv(tmp_path / "sin.csv", [row(edad=20), row(edad=31)], header=lacking)
    outcome = take(path)
    assert outcome.report["outcome"] == {"unchanged": 1, "added": 0, "changed": 1, "removed": 0}
    changed = Incident.objects.get(publication=outcome.publication)
    assert (changed.occurred_at, changed.longitude) == (time(21, 30), -79.9)
    assert value(changed, "canton") == "GUAYAQUIL"
    ethnicity = Variable.objects.get(factor="victim", key="ethnicity").position
    assert Victim.objects.get(incident_id=changed.id).codes[ethnicity] == 1
    take([row(edad=age) for age in (20, 30)])
    assert everything()["Victim"] == before["Victim"]


def test_a_partly_bad_file_loads_nothing(country, take):
    outcome = take(
        [row(), row(tipo_muerte="SUICIDIO"), row(codigo_subcircuito="09D77C01S01"), row(fecha_infraccion="x")]
    )
    assert [(refusal.row, refusal.field, refusal.rule) for refusal in outcome.refused] == [
        (3, "category", "category_unknown"),
        (4, "place", "district_unknown"),
        (5, "date", "date_unreadable"),
    ]
    assert "SUICIDIO" in outcome.refused[0].message
    assert outcome.report["refused"] == {"category_unknown": 1, "district_unknown": 1, "date_unreadable": 1}
    assert not outcome.is_taken
    for model in (Incident, Publication, Batch, Measurement, IncidentPast):
        assert not model.objects.exists()


def test_the_good_rows_of_a_partly_bad_file_can_be_accepted(country, take):
    outcome = take([row(), row(tipo_muerte="SUICIDIO")], accept_valid=True)
    assert outcome.is_taken
    assert len(outcome.refused) == 1
    assert Incident.objects.count() == 1
    assert (outcome.publication.rows, outcome.publication.refused) == (2, 1)


def test_a_file_of_bad_rows_alone_is_no_publication(country, take):
    with pytest.raises(PublishError) as caught:
        take([row(tipo_muerte="SUICIDIO")], accept_valid=True)
    assert caught.value.rule == "no_rows"


def test_a_trial_writes_nothing_and_tells_the_same(country, take):
    before = everything()
    rows = [row(), row(codigo_subcircuito="000C09S01", profesion_registro_civil="NUEVA")]
    tried = take(rows, dry_run=True)
    assert everything() == before
    assert tried.publication is None
    taken = take(rows)
    assert tried.report["outcome"] == taken.report["outcome"]
    assert tried.report["figures"] == taken.report["figures"]


def test_a_file_that_would_empty_a_month_is_refused_until_that_is_said(country, take):
    take([row(edad=age, fecha_infraccion=date(2023, month, 10)) for age in range(10) for month in (5, 6)])
    part = [row(edad=age, fecha_infraccion=date(2023, 5, 10)) for age in range(10)]
    part.append(row(edad=0, fecha_infraccion=date(2023, 6, 10)))
    before = everything()
    with pytest.raises(PublishError) as caught:
        take(part)
    assert (caught.value.rule, caught.value.details) == (
        "removes_month",
        {"month": "2023-06", "removed": 9, "stored": 10},
    )
    assert everything() == before
    assert take(part, accept_removals=True).report["outcome"]["removed"] == 9


def test_the_months_a_file_covers_can_be_said(country, take):
    take([row(edad=age, fecha_infraccion=date(2023, month, 10)) for age in range(10) for month in (5, 6)])
    part = [row(edad=age, fecha_infraccion=date(2023, 5, 10)) for age in range(10)] + [
        row(fecha_infraccion=date(2023, 6, 10))
    ]
    outcome = take(part, covers=(date(2023, 5, 1), date(2023, 6, 1)), accept_valid=True)
    assert [refusal.rule for refusal in outcome.refused] == ["outside_period"]
    assert outcome.report["outcome"] == {"unchanged": 10, "added": 0, "changed": 0, "removed": 0}
    quiet = take(part[:-1], covers=(date(2023, 4, 1), date(2023, 6, 1)))
    assert quiet.report["figures"]["created"] == 6  # April: covered, and nothing happened


def test_months_that_have_not_begun_cannot_be_covered(country, take):
    with pytest.raises(PublishError) as caught:
        take([row()], covers=(date(2023, 5, 1), date(2025, 2, 1)))
    assert caught.value.rule == "future_months"


def test_another_sources_incidents_are_left_alone(country, take, tmp_path):
    take([row(), row(edad=8)])
    path = write_csv(tmp_path / "police.csv", [row()])
    outcome = actions.import_file(
        path=path, layout_name="mdi-homicides", as_of=date(2024, 12, 2), now=NOW, by=None, source=country.police
    )
    assert outcome.report["outcome"] == {"unchanged": 0, "added": 1, "changed": 0, "removed": 0}
    assert Incident.objects.count() == 3


def test_a_place_that_becomes_known_is_taken_to_its_own_territory(country, take):
    rows = [row(codigo_subcircuito="09D01C01S09", coordenada_x=0, coordenada_y=0), row()]
    assert take(rows).report["mended"]["place_to_circuit"] == 1
    first = Incident.objects.get(place_code__code="09D01C01S09")
    assert (first.territory.code, first.place_precision) == ("09D01C01", PlacePrecision.COARSER)
    Territory.objects.create(code="09D01C01S09", name="new", level=Level.SUBCIRCUIT, parent=country.places["09D01C01"])
    again = take(rows)
    assert again.report["revised"]["labels"] == {"located": 1}
    located = Incident.objects.get(id=first.id)
    assert (located.territory.code, located.place_code_id) == ("09D01C01S09", None)
    assert located.place_precision == PlacePrecision.SUBCIRCUIT


def test_a_row_without_a_code_is_placed_by_its_point_or_in_the_nation(country, take):
    square = {"type": "Polygon", "coordinates": [[[-80, -3], [-79, -3], [-79, -2], [-80, -2], [-80, -3]]]}
    Boundary.objects.create(
        territory=country.places["09D02"], valid_from=date(2010, 1, 1), geometry=square, source="drawn"
    )
    report = take([row(codigo_subcircuito=""), row(codigo_subcircuito="", coordenada_x=-78.5)]).report
    assert report["mended"] == {"decimal_comma": 2, "place_by_point": 1, "place_missing": 1}
    assert set(Incident.objects.values_list("territory__code", "place_precision")) == {("09D02", 1), ("EC", 1)}


def test_without_territories_nothing_is_taken(db, tmp_path):
    ministry = Institution.objects.create(code="MDI", name="MDI", short_name="MDI")
    path = write_csv(tmp_path / "f.csv", [row()])
    with pytest.raises(PublishError) as caught:
        actions.import_file(
            path=path, layout_name="mdi-homicides", as_of=date(2024, 12, 2), now=NOW, by=None, source=ministry
        )
    assert caught.value.rule == "no_territories"


def with_ids(rows, header, country):
    """Rows of a layout that gives identifiers, taken as a publication."""
    form = layout.load("mdi-homicides")
    form = layout.Layout(**{**form.__dict__, "headings": {**form.headings, "id": ("numero",)}})
    table = cells(rows, header)
    parsed = parse(
        Table("", table, find_header(form, table)), form, as_of=date(2024, 12, 2), box=(-92.2, -5.1, -75.1, 1.8)
    )
    request = Request(
        by=None,
        layout=form,
        source=country.ministry,
        name="f",
        sha256=hashlib.sha256(str(rows).encode()).hexdigest(),
        now=NOW,
        as_of=date(2024, 12, 2),
    )
    return take_parsed(parsed=parsed, request=request)


def test_with_identifiers_a_row_is_the_same_incident_however_much_changes(country):
    header = ["numero", *HEADER]
    first = [{**row(), "numero": number} for number in (101.0, 102.0)]
    with_ids(first, header, country)
    kept = IncidentKey.objects.get(external_id="101").incident_id
    changed = row(tipo_muerte="FEMICIDIO", sexo="MUJER", edad=19, arma="OTROS", lugar="RIO", coordenada_x=-79.5)
    outcome = with_ids([{**changed, "numero": 101.0}, {**row(), "numero": "A-7"}], header, country)
    assert outcome.report["outcome"] == {"unchanged": 0, "added": 1, "changed": 1, "removed": 1}
    assert Incident.objects.get(id=kept).category.code == "HOMICIDE.FEMICIDE"
    assert set(IncidentKey.objects.values_list("external_id", flat=True)) == {"101", "A-7"}


def test_an_identifier_stands_once_in_a_file(country):
    rows = [{**row(), "numero": number} for number in ("7", "7", "")]
    outcome = with_ids(rows, ["numero", *HEADER], country)
    assert [(refusal.row, refusal.rule) for refusal in outcome.refused] == [(3, "id_repeated"), (4, "id_missing")]


def broken(tmp_path, kind):
    """A file that cannot be read, and the rule that says so."""
    rows = [row(edad=age) for age in range(1, 90)]
    path = tmp_path / f"{kind}.csv"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "too_large":
        with path.open("wb") as file:
            file.truncate(200 * 2**20)
    elif kind == "truncated":
        whole = write_csv(path, rows).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "not_text":
        path.write_bytes(bytes(range(256)) * 40)
    elif kind == "damaged":
        path = write_xlsx(tmp_path / "cut.xlsx", rows)
        path.write_bytes(path.read_bytes()[:-900])
    elif kind == "not_a_zip":
        path = tmp_path / "no.xlsx"
        path.write_text("tipo_muerte;fecha_infraccion;codigo_subcircuito\n")
    return path


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("empty", "empty"),
        ("too_large", "too_large"),
        ("truncated", "truncated"),
        ("not_text", "not_text"),
        ("damaged", "damaged"),
        ("not_a_zip", "damaged"),
        ("missing", "no_file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(country, take, tmp_path, kind, rule):
    before = everything()
    with pytest.raises(FileError) as caught:
        take(broken(tmp_path, kind))
    assert caught.value.rule == rule
    assert everything() == before


def test_a_file_of_another_layout_is_refused_whole(country, take, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("anio,delito\n2023,ROBO\n")
    with pytest.raises(LayoutError):
        take(path)


def test_a_header_without_rows_is_refused(country, take):
    with pytest.raises(PublishError) as caught:
        take([])
    assert caught.value.rule == "no_rows"
