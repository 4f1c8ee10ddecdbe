"""Territories from GeoJSON and CSV: keyed by code, parents by grammar, nothing twice, nothing by halves."""

import json
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.data import ECUADOR, needs
from units import places
from units.models import Boundary, Level, Territory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def square(x, y, size=0.1):
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry=None, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry or square(-79.9, -2.2)}


def district(code="09D01", name="SUR", **more):
    return {
        "district_code": code,
        "district": name,
        "subzone": "GUAYAS",
        "zone": "ZONA 5",
        "province_code": "09",
        **more,
    }


@pytest.fixture
def geojson(tmp_path):
    def write(*features, name="places.geojson"):
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
        return path

    return write


def load(path, *arguments):
    call_command("import_territories", str(path), *arguments)


def test_a_feature_brings_its_ancestors_and_its_boundary(geojson):
    load(geojson(feature(**district(name="NUEVA PROSPERINA"))), "--nation", "Ecuador", "--source", "Survey 2020")
    made = list(Territory.objects.values_list("level", "code", "name", "parent__code"))
    assert made == [
        (Level.NATION, "EC", "Ecuador", None),
        (Level.ZONE, "Z5", "Zona 5", "EC"),
        (Level.SUBZONE, "SZ09", "Guayas", "Z5"),
        (Level.DISTRICT, "09D01", "Nueva Prosperina", "SZ09"),
    ]
    boundary = Boundary.objects.get()
    assert (boundary.territory.code, boundary.source, boundary.is_schematic) == ("09D01", "Survey 2020", False)
    assert boundary.territory.latitude == pytest.approx(-2.15)


def test_the_same_file_twice_changes_nothing(geojson, capsys):
    path = geojson(feature(**district()), name="police_approx.geojson")
    load(path)
    before = list(Territory.objects.values()), list(Boundary.objects.values())
    load(path)
    assert (list(Territory.objects.values()), list(Boundary.objects.values())) == before
    assert "0 new, 0 changed, 3 unchanged. Boundaries: 0 new, 0 replaced" in capsys.readouterr().out
    assert before[1][0]["is_schematic"]


def test_parents_follow_from_the_code(geojson):
    load(geojson(feature(**district())))
    load(geojson(feature(code="09D01C02", name="Centro"), feature(code="09D01C02S01", name="Centro 1")))
    assert Territory.objects.get(code="09D01C02S01").parent.parent.code == "09D01"


def test_not_delimited_codes_lie_in_their_own_zone(geojson):
    load(geojson(feature(subcircuit_code="000C01S01", subcircuit="EL PIEDRERO", circuit="EL PIEDRERO")))
    chain = list(Territory.objects.exclude(level=0).values_list("code", "is_delimited", "parent__code"))
    assert chain == [
        ("Z0", False, "EC"), ("SZ00", False, "Z0"), ("000", False, "SZ00"), ("000C01", False, "000"),
        ("000C01S01", False, "000C01"),
    ]  # fmt: skip


def test_capitals_and_lost_accents_do_not_rename(geojson):
    load(geojson(feature(**district(name="Bolívar"))))
    load(geojson(feature(**district(name="BOLIVAR"))))
    assert Territory.objects.get(code="09D01").name == "Bolívar"
    load(geojson(feature(**district(name="Portete"))))
    assert Territory.objects.get(code="09D01").name == "Portete"


def test_a_new_boundary_takes_the_place_of_the_old_or_follows_it_from_a_day(geojson):
    load(geojson(feature(**district())))
    load(geojson(feature(square(-79.5, -2.2), **district())))
    assert Boundary.objects.get().geometry == square(-79.5, -2.2)
    load(geojson(feature(square(-79.0, -2.2), **district())), "--valid-from", "2022-01-01")
    spans = list(Boundary.objects.order_by("valid_from").values_list("valid_from", "valid_to"))
    assert spans == [(date(1900, 1, 1), date(2022, 1, 1)), (date(2022, 1, 1), None)]
    with pytest.raises(CommandError, match="nothing was loaded"):
        load(geojson(feature(square(-78.0, -2.2), **district())), "--valid-from", "2021-01-01")
    assert Boundary.objects.count() == 2


CROSSED = {"type": "Polygon", "coordinates": [[[-79, -2], [-78, -1], [-78, -2], [-79, -1], [-79, -2]]]}


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (feature(), "code_missing"),
        (feature(code="with space", name="A", level="district"), "code_malformed"),
        (feature(code="ABC", name="A"), "level_unknown"),
        (feature(**district(code="09D01C02")), "code_of_another_level"),
        (feature(**district(name="")), "name_missing"),
        (feature(code="09D77C01", name="Nowhere"), "unknown_parent"),
        (feature(code="09D88", name="Other", parent="09D77"), "unknown_parent"),
        (feature(code="X1", name="Odd", level="zone", parent="09D99"), "parent_not_above"),
        (feature(**district(code="09D99", name="Again")), "repeated"),
        (feature(CROSSED, **district()), "geometry_invalid"),
        (feature({"type": "Point", "coordinates": [-79, -2]}, **district()), "geometry_kind"),
        (feature({"type": "Polygon", "coordinates": [[[-79, -2], [-78, -2]]]}, **district()), "geometry_invalid"),
        (feature(square(-2.2, -79.9), **district()), "outside_country"),
        ({"type": "Feature", "properties": district(), "geometry": None}, "geometry_missing"),
    ],
)
def test_a_bad_feature_is_refused_by_rule_and_nothing_is_loaded(geojson, capsys, bad, rule):
    path = geojson(feature(**district(code="09D99", name="Good")), bad)
    with pytest.raises(CommandError, match="1 row was refused: nothing was loaded"):
        load(path)
    assert f"[{rule}]" in capsys.readouterr().err
    assert not Territory.objects.exists()


def test_accept_valid_takes_the_rest_and_gives_the_others_back(geojson, tmp_path):
    path = geojson(
        feature(**district()), feature(code="ABC", name="Odd"), feature(**district(code="09D02", name="OTHER"))
    )
    load(path, "--accept-valid", "--refused", str(tmp_path / "back.csv"))
    assert list(Territory.objects.filter(level=Level.DISTRICT).values_list("code", flat=True)) == ["09D01", "09D02"]
    header, row = (tmp_path / "back.csv").read_text("utf-8-sig").splitlines()
    assert header.startswith("row,field,rule,reason,code,")
    assert row.startswith("2,level,level_unknown,")


def test_a_dry_run_writes_nothing(geojson, capsys):
    load(geojson(feature(**district())), "--dry-run")
    assert "4 new" in capsys.readouterr().out
    assert not Territory.objects.exists()


def test_below_a_refused_row_nothing_is_loaded(geojson, tmp_path):
    lost = [feature(code="09D50", name="Lost", parent="NONE"), feature(code="09D50C01", name="Lost too")]
    load(geojson(feature(**district()), *lost), "--accept-valid", "--refused", str(tmp_path / "back.csv"))
    assert not Territory.objects.filter(code__startswith="09D50").exists()


def test_the_names_of_most_rows_are_taken(tmp_path, capsys):
    path = tmp_path / "codes.csv"
    head = "zone,subzone,province_code,district_code,district,circuit_code,circuit,subcircuit_code,subcircuit,lat,lon\n"
    row = "ZONA 5,GUAYAS,09,09D01,{},09D01C01,CENTRO,09D01C01S0{},CENTRO {},-2.2,-79.9\n"
    path.write_text(
        head + row.format("EMPALME", 1, 1) + row.format("EL EMPALME", 2, 2) + row.format("EL EMPALME", 3, 3)
    )
    load(path)
    assert Territory.objects.get(code="09D01").name == "El Empalme"
    assert Territory.objects.get(code="09D01C01S03").latitude == -2.2
    assert "09D01 has several names" in capsys.readouterr().err


def test_a_file_that_is_no_geojson_ends_in_one_line(tmp_path):
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": [{"type": "Fea')
    with pytest.raises(CommandError, match="truncated or is no GeoJSON"):
        load(tmp_path / "a.geojson")
    (tmp_path / "b.geojson").write_text('{"type": "Topology"}')
    with pytest.raises(CommandError, match="expected a FeatureCollection with features; found Topology"):
        load(tmp_path / "b.geojson")


def test_changes_are_kept_with_the_file_as_the_reason(geojson):
    load(geojson(feature(**district())))
    event = Territory.pgh_event_model.objects.get(code="09D01")
    assert event.pgh_context.metadata["reason"] == "import_territories places.geojson"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("ÑUÑOA DE LA SIERRA", "Ñuñoa de la Sierra"), ("D.M. QUITO", "Distrito Metropolitano de Quito"),
     ("RUMIÑAHUI - MEJIA", "Rumiñahui - Mejia"), ("JUAN PABLO II", "Juan Pablo II"), ("La Libertad", "La Libertad")],
)  # fmt: skip
def test_names_in_capitals_are_written_as_names(given, expected):
    assert places.written(given) == expected


@pytest.mark.large
@needs("ecuador")
def test_the_real_codes_and_boundaries_load():
    load(ECUADOR / "codes/police_geography_from_incidents.csv", "--nation", "Ecuador")
    load(ECUADOR / "boundaries/police_districts_approx.geojson")
    counts = [Territory.objects.filter(level=level).count() for level in Level]
    assert counts == [1, 9, 26, 140, 1041, 1741]
    assert Boundary.objects.filter(is_schematic=True).count() == 140
    assert Path(Boundary.objects.first().source).name == "police_districts_approx.geojson"
