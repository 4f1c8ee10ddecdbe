"""What the product knows from the start: every category has its values, in two languages, as files write them."""

from collections import Counter
from datetime import date

import pytest
from django.conf import settings

from incidents import dictionary, layout
from incidents.feed.book import Book
from incidents.layout import plain
from incidents.models import Kind, Variable, VariableCode
from incidents.parse import Coded
from tests.data import ECUADOR, needs

OPEN = {("victim", "home")}  # a subcircuit's code, of which each country has its own
GROWING = {"victim.occupation"}  # the registry's own words for trades, of which the commonest are known


@pytest.fixture
def known(db):
    dictionary.ensure()
    return dictionary.Dictionary()


def values():
    """{(factor, key): [(code, label, name, name_en)]}."""
    found = {}
    for field, row in dictionary._values():
        found.setdefault(field, []).append((int(row["code"]), row["label"], row["name"], row["name_en"]))
    return found


def test_every_category_has_its_values():
    categories = {(row["factor"], row["key"]) for row in dictionary._rows("variables") if row["kind"] == Kind.CATEGORY}
    assert set(values()) == categories - OPEN
    assert {row["variable"] for row in dictionary._rows("codes")} == {key for _factor, key in categories - OPEN}
    assert min(map(len, values().values())) >= 2


@pytest.mark.parametrize("field", values(), ids=".".join)
def test_a_value_is_known_by_one_number_and_one_word(field):
    rows = values()[field]
    for at in range(4):
        said = Counter(plain(str(row[at])) for row in rows)
        assert [one for one, n in said.items() if n > 1 or not one] == []
    assert [label for _code, label, *_names in rows if label != plain(label)] == []
    labels = {label: code for code, label, *_names in rows}
    for code, _label, *names in rows:  # a name is not how files write another value
        assert {labels.get(plain(name), code) for name in names} == {code}
    assert all(0 < code < dictionary.OWN_CODES for code, *_rest in rows)


def test_numbers_that_were_given_out_stay():
    given = {
        ("victim", "sex"): {1: "HOMBRE", 2: "MUJER", 3: "NO DETERMINADO"},
        ("victim", "record"): {1: "SI", 2: "NO"},
        ("environment", "area"): {1: "URBANO", 2: "RURAL"},
        ("environment", "kind_of_place"): {1: "PUBLICO", 2: "PRIVADO"},
        ("environment", "weapon"): {1: "ARMA DE FUEGO", 2: "ARMA BLANCA", 6: "OTROS"},
        ("victim", "schooling"): {1: "NINGUNA", 9: "ESPECIAL"},
    }
    held = values()
    for field, said in given.items():
        assert said.items() <= {code: label for code, label, *_names in held[field]}.items()


def test_the_values_that_the_domain_names():
    names = {field: {name_en for *_rest, name_en in rows} for field, rows in values().items()}
    assert {"Caught", "At large", "Unknown"} <= names["victimizer", "condition"]
    assert {"On foot", "Motorcycle", "Car"} <= names["victimizer", "mobility"]
    assert {"Daylight", "Night, lit", "Night, unlit"} <= names["environment", "lighting"]
    assert {218: "Ecuador"}.items() <= {code: name for code, _l, name, _e in values()["victim", "nationality"]}.items()


def test_a_country_that_is_set_up_again_gains_nothing(known):
    before = VariableCode.objects.count()
    dictionary.ensure()
    assert VariableCode.objects.count() == before


def test_where_a_file_took_the_number_first_the_value_takes_another(db):
    dictionary._ensure_variables()
    motive = Variable.objects.get(factor="environment", key="observed_motive")
    VariableCode.objects.create(variable=motive, code=1, label="CELOS", name="Celos")
    VariableCode.objects.create(variable=motive, code=2, label="AMENAZA", name="Amenaza")
    canton = Variable.objects.get(factor="environment", key="canton")
    VariableCode.objects.create(variable=canton, code=908, label="EL EMPALME", name="El Empalme")
    dictionary.ensure()
    labels = dict(motive.codes.values_list("label", "code"))
    assert (labels["CELOS"], labels["AMENAZA"]) == (1, 2)
    assert {label for _code, label, *_names in values()["environment", "observed_motive"]} <= set(labels)
    assert canton.codes.filter(name__icontains="empalme").count() == 1  # a canton's number is the state's


def test_a_file_may_write_a_value_as_people_read_it(known):
    coded = Coded(["si", "FLAGRANTE", "No flagrante"], [0, 1, 2, -1])
    assert known.encode("environment.flagrancy", coded).tolist() == [1, 1, 2, 0]
    assert known.save() == {}


def test_a_feed_knows_countries_by_name_or_number(known):
    slot = Book("").people["victim"]["nationality"]
    assert {slot.code(said) for said in ("ECUADOR", "Ecuador", "218")} == {218}
    assert {slot.code(said) for said in ("HOLANDA", "Países Bajos", "Netherlands")} == {528}


@needs("ecuador")
@pytest.mark.large
@pytest.mark.parametrize("name", ["mdi_homicidiosintencionales_pm_2014-2023.xlsx", "made_revision_of_2023.csv"])
def test_the_ministrys_words_are_all_known(known, name):
    from incidents import parse, reader

    form = layout.load("mdi-homicides")
    parsed = parse.parse(reader.read(ECUADOR / name, form), form, as_of=date(2024, 12, 20), box=settings.COUNTRY_BOX)
    unknown = {}
    for field, column in parsed.variables.items():
        if isinstance(column, Coded) and field not in GROWING:
            known.encode(field, column)
            unknown[field] = [code.label for code in known.new[known.variables[field].pk]]
    assert {field: labels for field, labels in unknown.items() if labels} == {}
