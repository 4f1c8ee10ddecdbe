"""Who sees which incidents, and what of them."""

import pytest
from django.utils.translation import override

from incidents import queries
from incidents.models import Incident
from tests.incidents.feed.conftest import account, item, send  # noqa: F401 - fixtures
from units import permissions
from units.models import Institution, Unit, UnitPeriod, User
from units.permissions import Role

pytestmark = pytest.mark.django_db


def person(name, role, unit):
    user = User.objects.create(username=name)
    permissions.grant(user=user, role=role, unit=unit)
    return user


@pytest.fixture
def sent(send):  # noqa: F811
    send(
        item("A", victims=[{"sex": "HOMBRE", "ethnicity": "MESTIZO/A", "age": 30}]),
        item("B", place="09D02C01S01"),
        item("C", place=None),
    )


def seen(user):
    codes = Incident.objects.visible_to(user).select_related("territory").values_list("territory__code", flat=True)
    return sorted(codes)


def test_an_analyst_sees_what_happened_where_the_unit_covers(sent, country):
    assert seen(person("one", Role.ANALYST, country.units["09D01"])) == ["09D01C01S01"]
    assert seen(person("all", Role.ANALYST, country.units["EC"])) == ["09D01C01S01", "09D02C01S01", "EC"]


def test_who_does_not_analyse_sees_none(sent, country):
    assert seen(person("viewer", Role.VIEWER, country.units["EC"])) == []
    assert seen(User.objects.create(username="nobody")) == []


def test_a_superuser_sees_all(sent):
    assert len(seen(User.objects.create(username="root", is_superuser=True))) == 3


def test_an_inactive_account_sees_none(sent, country):
    user = person("gone", Role.ANALYST, country.units["EC"])
    user.is_active = False
    assert seen(user) == []


def test_what_is_reserved_is_told_only_in_the_own_tree(sent, country):
    other = Institution.objects.create(code="ECU911", name="ECU 911", short_name="ECU")
    unit = Unit.objects.create(institution=other, code="ECU", name="ECU", territory=country.places["EC"])
    unit.path = [unit.pk]
    unit.save()
    UnitPeriod.objects.create(unit=unit, institution=other, territory=unit.territory, from_month="2014-01-01")
    stranger, own = person("s", Role.ANALYST, unit), person("o", Role.ANALYST, country.units["09D01"])
    told = {}
    for user in (stranger, own):
        first = Incident.objects.visible_to(user).order_by("id").first()
        with override("es"):
            told[user.username] = queries.described([first], user)[0]
    assert told["o"]["victims"] == [{"sex": "Hombre", "ethnicity": "Mestizo/a", "age": 30.0}]
    assert told["s"]["victims"] == [{"sex": "Hombre", "age": 30.0}]
    assert told["s"]["external_id"] == "A"


def test_description_asks_as_often_for_three_as_for_one(sent, country, count_queries):
    user = person("all", Role.ANALYST, country.units["EC"])
    held = Incident.objects.visible_to(user).select_related("source", "category", "territory")
    with count_queries() as few:
        queries.described(held[:1], user)
    with count_queries() as many:
        queries.described(held, user)
    assert len(few) == len(many)
