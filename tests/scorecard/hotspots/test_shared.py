"""The address of a map serves every institution that covers the place, and tells nothing to who does not."""

import re

import pytest

from tests.scorecard.country import signed_in, text_of
from units.models import Institution, Unit, UnitUserObjectPermission, User
from units.permissions import Role, bulk_grants

pytestmark = pytest.mark.django_db
QUERY = "first=2022-03-01&last=2023-12-31&method=density&cell=2000"
PAGES = ("/hotspots/{}/", "/hotspots/{}/points", "/profile/{}/", "/incidents/{}/", "/recent/{}/")


def person(name, role, unit):
    made = User.objects.create(username=name, password="!", language="en")
    UnitUserObjectPermission.objects.bulk_create(bulk_grants([(made, role, unit)]))
    return signed_in(made)


@pytest.fixture
def prosecution(country):
    """Another institution with a unit in each of two districts, and none above that covers anything."""
    of = Institution.objects.create(code="FGE", name="Fiscalía", name_en="Prosecution", short_name="FGE")
    made = {}
    for code in ("01D01", "02D01"):
        unit = Unit(code=f"FGE-{code}", name=code, institution=of, territory=country.territories[code])
        unit.pk = Unit.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
        unit.path = [unit.pk]
        unit.save()
        made[code] = unit
    return made


def test_an_analyst_of_another_institution_follows_the_link_to_the_same_map(country, prosecution):
    theirs = person("prosecutor", Role.ANALYST, prosecution["01D01"])
    for page in PAGES:
        response = theirs.get(f"{page.format('PN-01D01')}?{QUERY}")
        assert (response.status_code, response["Location"]) == (302, f"{page.format('FGE-01D01')}?{QUERY}")
        assert theirs.get(response["Location"]).status_code == 200
    ours = signed_in(country.people["analyst"]).get(f"/hotspots/PN-01D01/?{QUERY}")
    same = theirs.get(f"/hotspots/PN-01D01/?{QUERY}", follow=True)
    layers = [re.findall(r'class="k k-[^>]*>', response.content.decode()) for response in (ours, same)]
    assert layers[0]
    assert layers[0] == layers[1]
    assert "207 events" in text_of(same)


def test_who_may_see_a_unit_and_analyse_in_another_of_its_place_is_sent_there(country, prosecution):
    viewer = country.people["viewer"]
    assert signed_in(viewer).get("/hotspots/PN-01D01/").status_code == 403
    UnitUserObjectPermission.objects.bulk_create(bulk_grants([(viewer, Role.ANALYST, prosecution["01D01"])]))
    assert signed_in(viewer).get("/hotspots/PN-01D01/")["Location"] == "/hotspots/FGE-01D01/"


def test_who_covers_another_place_is_told_nothing(country, prosecution):
    elsewhere = person("elsewhere", Role.ANALYST, prosecution["02D01"])
    for code in ("PN-01D01", "PN-Z1", "PN-01D01C01", "PN-NONE", "none"):
        for page in PAGES:
            assert elsewhere.get(page.format(code)).status_code == 404, (page, code)


def test_who_may_not_analyse_gets_what_they_got(country, prosecution):
    viewer = person("reader", Role.VIEWER, prosecution["01D01"])
    for page in PAGES:
        assert viewer.get(page.format("PN-01D01")).status_code == 404
        assert viewer.get(page.format("FGE-01D01")).status_code == 403
