"""Population from files: by territory and year, through cantons, summed up, and with the nation's growth."""

import pytest
from django.core.management import CommandError, call_command

from tests.data import ECUADOR, needs
from units import populations
from units.models import Level, Population, Territory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def tree():
    """Nation > zone > two subzones of districts: 01D01 (1 subcircuit) and 01D02 (3) in one, 02D01 in the other."""
    nation = Territory.objects.create(code="EC", name="Ecuador", level=Level.NATION)
    zone = Territory.objects.create(code="Z1", name="Zona 1", level=Level.ZONE, parent=nation)
    for province, codes in (("01", ("01D01", "01D02")), ("02", ("02D01",))):
        subzone = Territory.objects.create(code=f"SZ{province}", name=province, level=Level.SUBZONE, parent=zone)
        for code in codes:
            district = Territory.objects.create(code=code, name=code, level=Level.DISTRICT, parent=subzone)
            circuit = Territory.objects.create(code=f"{code}C01", name=code, level=Level.CIRCUIT, parent=district)
            for n in range(3 if code == "01D02" else 1):
                Territory.objects.create(code=f"{code}C01S0{n + 1}", name=code, level=Level.SUBCIRCUIT, parent=circuit)


@pytest.fixture
def file(tmp_path):
    def write(content, name="people.csv"):
        path = tmp_path / name
        path.write_text(content)
        return str(path)

    return write


def people(year=2020):
    return dict(Population.objects.filter(year=year).values_list("territory__code", "people"))


def test_rows_are_keyed_by_territory_and_year(tree, file, capsys):
    path = file("code;year;people\n01D01;2020;1.250\n01D01;2021;1.300\n02D01;2020;900\n")
    call_command("import_population", path, source="Census")
    assert people() == {"01D01": 1250, "02D01": 900}
    call_command("import_population", path, source="Census")
    assert "0 new, 0 changed, 3 unchanged" in capsys.readouterr().out
    call_command("import_population", file("code,year,people\n01D01,2020,1251\n"), source="Census")
    assert "0 new, 1 changed, 0 unchanged" in capsys.readouterr().out
    assert people()["01D01"] == 1251


def test_headings_year_and_territory_can_be_said(tree, file):
    call_command("import_population", file("anio,total\n2014,100\n2015,110\n"), column=["people=total"], territory="EC")
    assert list(Population.objects.values_list("year", "people")) == [(2014, 100), (2015, 110)]
    call_command("import_population", file("code,people\n01D01,5\n"), year=1999)
    assert people(1999) == {"01D01": 5}


@pytest.mark.parametrize(
    ("row", "rule"),
    [("99D99,2020,5", "unknown_territory"), ("01D01,2020,", "people_missing"), ("01D01,2020,many", "not_a_number"),
     ("01D01,2020,2.5", "not_whole"), ("01D01,2020,-3", "negative"), ("01D01,,5", "year_missing"),
     ("01D01,20200,5", "year_missing"), ("02D01,2020,7", "repeated")],
)  # fmt: skip
def test_a_bad_row_is_refused_by_rule_and_nothing_is_loaded(tree, file, capsys, row, rule):
    path = file(f"code,year,people\n02D01,2020,7\n{row}\n")
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("import_population", path)
    assert "row 3," in (said := capsys.readouterr().err)
    assert f"[{rule}]" in said
    assert not Population.objects.exists()


def test_accept_valid_takes_the_rest(tree, file, tmp_path):
    path = file("code,year,people\n02D01,2020,7\n99D99,2020,5\n")
    call_command("import_population", path, "--accept-valid", refused=str(tmp_path / "back.csv"))
    assert people() == {"02D01": 7}
    assert "99D99" in (tmp_path / "back.csv").read_text("utf-8-sig")


def test_a_canton_of_several_districts_is_shared_by_subcircuits(tree, file):
    cantons = file('district_code,cantons\n01D01,"0101"\n01D02,"0101,0102"\n02D01,0201\n', "cantons.csv")
    path = file("canton_code,people\n101,1001\n0102,50\n0201,300\n")
    call_command("import_population", path, year=2020, cantons=cantons)
    assert people() == {"01D01": 250, "01D02": 751 + 50, "02D01": 300}


def test_a_canton_that_no_district_names_goes_to_its_province(tree, file, capsys):
    cantons = file('district_code,cantons\n01D01,"0101"\n', "cantons.csv")
    call_command("import_population", file("canton_code,people\n0199,400\n"), year=2020, cantons=cantons)
    assert people() == {"01D01": 100, "01D02": 300}
    assert "Canton 0199: shared among the districts of its province" in capsys.readouterr().err
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("import_population", file("canton_code,people\n9001,400\n"), year=2020, cantons=cantons)


def test_sums_are_written_for_the_territories_above_but_a_nation_keeps_its_own(tree, file):
    Population.objects.create(territory=Territory.objects.get(code="EC"), year=2020, people=5000, source="Census")
    path = file("code,year,people\n01D01,2020,100\n01D02,2020,200\n02D01,2020,300\n01D01,2021,1\n")
    call_command("import_population", path, "--sum-up")
    assert people() == {"EC": 5000, "Z1": 600, "SZ01": 300, "SZ02": 300, "01D01": 100, "01D02": 200, "02D01": 300}
    assert people(2021) == {"EC": 1, "Z1": 1, "SZ01": 1, "01D01": 1}


def test_other_years_follow_the_nation(tree, file):
    path = file("code,year,people\n01D01,2020,100\n")
    with pytest.raises(CommandError, match="The nation's people in 2020, 2021 are not known"):
        call_command("import_population", path, years="2020-2021")
    for year, total in ((2020, 1000), (2021, 1100)):
        Population.objects.create(territory=Territory.objects.get(code="EC"), year=year, people=total, source="Census")
    call_command("import_population", path, years="2020-2021", source="Survey")
    grown = Population.objects.get(year=2021, territory__code="01D01")
    assert (grown.people, grown.source) == (110, "Survey of 2020, with the nation's growth")


def test_shares_add_up_to_the_whole():
    assert populations.apportioned(10, [1, 1, 1]) == [4, 3, 3]
    assert sum(populations.apportioned(2_781_641, [54, 3, 117, 22, 41])) == 2_781_641


@pytest.mark.large
@needs("ecuador")
def test_the_real_projection_reaches_every_district(capsys, tmp_path):
    call_command("import_territories", str(ECUADOR / "codes/police_geography_from_incidents.csv"))
    call_command(
        "import_population",
        str(ECUADOR / "codes/canton_population_2020_inec_projection.csv"),
        "--accept-valid",
        "--sum-up",
        column=["people=population_2020"],
        year=2020,
        cantons=str(ECUADOR / "codes/districts_police_vs_planning.csv"),
        refused=str(tmp_path / "back.csv"),
    )
    districts = Population.objects.filter(territory__level=Level.DISTRICT).values_list("people", flat=True)
    assert (len(districts), sum(districts)) == (140, 17_510_643 - 7_598 - 26_548 - 7_761)
    assert Population.objects.get(territory__code="EC").people == sum(districts)
