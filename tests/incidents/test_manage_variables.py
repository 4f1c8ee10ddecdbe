"""The dictionary is extended on pages, without a migration: seen before it is saved, kept with its author."""

import pytest
from django.urls import reverse

from incidents import event_rules
from incidents.dictionary import ensure
from incidents.models import Category, EventRule, Measure, Variable, VariableCode
from tests.factories import small_country
from tests.incidents.test_sqlview import rows
from units.models import Unit, User
from units.permissions import Role, grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def country():
    made = small_country(months=2)
    ensure()
    made.people["state"] = User.objects.create(username="state")
    grant(user=made.people["state"], role=Role.ADMINISTRATOR, unit=Unit.objects.get(code="EST-EC"))
    return made


@pytest.fixture
def visit(client, country):
    """`visit(name, args, role=, **data)`: the response in English; a POST where there is data."""

    def ask(name, args=(), /, role="state", **data):
        client.force_login(country.people[role])
        headers = {"accept-language": "en"}
        address = reverse(name, args=args)
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


MOOD = {"factor": "victim", "kind": "category", "key": "mood", "name": "Ánimo", "name_en": "Mood"}
MOOD |= {"sensitivity": "internal", "step": "confirm"}


def sex():
    return Variable.objects.get(factor="victim", key="sex")


def test_a_variable_takes_the_next_place_and_is_a_column_of_the_view(visit):
    last = Variable.objects.filter(factor="victim", kind="category").order_by("-position").first().position
    assert visit("manage-variable-new", **MOOD).status_code == 302
    made = Variable.objects.get(key="mood")
    assert made.position == last + 1
    assert rows("reporting_victim") == []
    event = Variable.pgh_event_model.objects.filter(pgh_obj_id=made.pk).get()
    assert event.pgh_context.metadata["user"] == User.objects.get(username="state").pk


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"key": "sex"}, "__all__"),
        ({"key": "ordinal"}, "key"),
        ({"key": "Ánimo"}, "key"),
        ({"kind": "column"}, "kind"),
        ({"factor": "weather"}, "factor"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_a_variable_is_refused_on_its_field(visit, changed, field):
    response = visit("manage-variable-new", **{**MOOD, **changed})
    assert field in response.context["form"].errors
    assert not Variable.objects.filter(key="mood").exists()


def test_a_code_takes_the_next_number_and_none_twice(visit):
    one = sex()
    last = one.codes.order_by("-code").first().code
    said = {"name": "No binario", "step": "confirm"}
    assert visit("manage-variable-code-new", [one.pk], **said).status_code == 302
    made = one.codes.get(name="No binario")
    assert (made.code, made.label) == (last + 1, "NO BINARIO")
    again = visit("manage-variable-code-new", [one.pk], **said).context["form"].errors
    assert "label" in again
    taken = visit("manage-variable-code-new", [one.pk], name="X", code=1, step="confirm").context["form"].errors
    assert "code" in taken


def test_sensitivity_changes_with_a_reason_and_closes_the_view(visit):
    one = Variable.objects.get(factor="victim", key="age")
    said = {"name": one.name, "name_en": one.name_en, "sensitivity": "reserved", "step": "confirm"}
    assert visit("manage-variable-edit", [one.pk], **said).context["is_reason_missing"]
    assert visit("manage-variable-edit", [one.pk], **said, reason="by law").status_code == 302
    one.refresh_from_db()
    assert one.sensitivity == "reserved"


def test_what_a_rule_counts_by_is_not_reserved(visit, country):
    EventRule.objects.create(
        indicator=country.indicators["PN.HOMICIDES"], measure=Measure.VICTIMS, from_month=country.months[0],
        category=Category.objects.get(code="HOMICIDE"), filter=[{"field": "victim.sex", "in": [2]}],
    )  # fmt: skip
    said = {"name": "Sexo", "sensitivity": "reserved", "step": "confirm", "reason": "by law"}
    assert "PN.HOMICIDES" in str(visit("manage-variable-edit", [sex().pk], **said).context["form"].errors)


def test_what_is_retired_is_offered_to_no_rule_and_comes_back(visit, country):
    one, said = sex(), {"step": "confirm", "reason": "no longer asked"}
    assert visit("manage-variable-retire", [one.pk], **said).status_code == 302
    rule = EventRule(
        indicator=country.indicators["PN.HOMICIDES"], measure=Measure.VICTIMS, from_month=country.months[0],
        category=Category.objects.get(code="HOMICIDE"), filter=[{"field": "victim.sex", "in": [2]}],
    )  # fmt: skip
    with pytest.raises(event_rules.ValidationError, match=r"retired|retirad"):
        event_rules.check(rule)
    visit("manage-variable-retire", [one.pk], **said)
    event_rules.check(rule)
    visit("manage-variable-code-retire", [one.pk, 1], **said)
    assert VariableCode.objects.get(variable=one, code=1).is_retired


def test_a_category_is_added_below_another(visit):
    said = {"parent": "ROBBERY", "code": "ROBBERY.BOAT", "name": "Robo de embarcación", "step": "confirm"}
    assert visit("manage-category-new", **said).status_code == 302
    made = Category.objects.get(code="ROBBERY.BOAT")
    assert made.parent.code == "ROBBERY"
    assert visit("manage-category", [made.pk], name="Robo de lancha", step="confirm").status_code == 302
    made.refresh_from_db()
    assert made.name == "Robo de lancha"


def test_those_who_plan_for_an_institution_read_and_do_not_change(visit):
    assert visit("manage-variables", role="administrator").status_code == 200
    assert "new" not in visit("manage-variables", role="administrator").text.split("<main")[1].split("</form>")[1][:200]
    assert visit("manage-variable-new", role="administrator").status_code == 403
    assert visit("manage-variables", role="viewer").status_code == 403
    assert visit("manage-variable", [999999]).status_code == 404
    assert visit("manage-variable-code", [sex().pk, 99999999]).status_code == 404


def test_the_list_is_filtered_and_leaves_as_a_file(client, country):
    client.force_login(country.people["state"])
    response = client.get(reverse("manage-variables") + "?factor=victim&sensitivity=reserved&format=csv")
    text = response.content.decode("utf-8-sig")
    assert "gender" in text
    assert "victimizer" not in text


def test_the_list_asks_as_often_for_a_large_dictionary(client, country, count_queries):
    def asked(address):
        with count_queries() as queries:
            assert client.get(address).status_code == 200
        return len(queries.page)

    client.force_login(country.people["state"])
    pages = [reverse("manage-variables"), reverse("manage-variable", args=[sex().pk]), reverse("manage-categories")]
    before = [asked(page) for page in pages]
    for n in range(20):
        VariableCode.objects.create(variable=sex(), code=1000 + n, label=f"L{n}", name=f"N{n}")
        Variable.objects.create(factor="victim", key=f"k{n}", kind="category", position=100 + n, name=f"K{n}")
        Category.objects.create(code=f"K{n}", name=f"K{n}")
    assert [asked(page) for page in pages] == before
