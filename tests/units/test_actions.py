"""Changes of the tree: earlier months stay as they were, cards are marked, and the history says who and why."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError

from indicators.models import StaleMark
from tests.factories import small_country
from units import actions
from units.models import Institution, Unit, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOW = datetime(2023, 11, 20, 15, tzinfo=UTC)
JULY = date(2023, 7, 1)


@pytest.fixture
def country():
    return small_country(months=1, cards=False)


def marks():
    return list(StaleMark.objects.order_by("month").values_list("month", "institution__code", "indicator"))


def test_a_unit_that_moves_keeps_its_earlier_place(country):
    unit = country.unit("PN-01D01C01")
    moved = actions.move_unit(
        by=None, unit=unit, parent=country.unit("PN-01D02"), territory=unit.territory, from_month=JULY, now=NOW
    )
    assert moved.path[-2] == country.unit("PN-01D02").pk
    spans = list(unit.periods.order_by("from_month").values_list("parent__code", "from_month", "to_month"))
    assert spans == [("PN-01D01", date(2020, 1, 1), JULY), ("PN-01D02", JULY, None)]
    assert marks() == [(JULY, "PN", None)]


def test_a_branch_that_moves_takes_those_below_along(country):
    district = country.unit("PN-01D01")
    actions.move_unit(
        by=None, unit=district, parent=country.unit("PN-Z2"), territory=district.territory, from_month=JULY, now=NOW
    )
    below = Unit.objects.get(code="PN-01D01C01")
    assert country.unit("PN-Z2").pk in below.path
    assert country.unit("PN-Z1").pk not in below.path


def test_a_unit_cannot_stand_below_itself(country):
    with pytest.raises(ValidationError, match="lies below"):
        actions.move_unit(
            by=None,
            unit=country.unit("PN-Z1"),
            parent=country.unit("PN-01D01"),
            territory=None,
            from_month=JULY,
            now=NOW,
        )


def test_a_change_long_ago_marks_every_year_since(country):
    unit = country.unit("PN-01D01C01")
    actions.close_unit(by=None, unit=unit, to_month=date(2021, 5, 1), now=NOW)
    assert [month for month, *_ in marks()] == [date(2021, 5, 1), date(2022, 1, 1), date(2023, 1, 1)]


def test_a_unit_with_open_ones_below_is_not_closed(country):
    with pytest.raises(ValidationError, match="PN-01D01C01"):
        actions.close_unit(by=None, unit=country.unit("PN-01D01"), to_month=JULY, now=NOW)


def test_overlapping_units_of_one_territory_are_refused_by_name(country):
    with pytest.raises(ValidationError, match="Another unit") as refused:
        actions.open_unit(
            by=None,
            institution=country.institutions["PN"],
            code="PN-TWICE",
            name="Twice",
            parent=country.unit("PN-Z1"),
            territory=country.territories["01D01"],
            from_month=JULY,
            now=NOW,
        )
    assert list(refused.value.message_dict) == ["territory"]


def test_a_closed_unit_opens_again_and_the_gap_stays(country):
    unit = country.unit("PN-01D01C01")
    actions.close_unit(by=None, unit=unit, to_month=date(2023, 3, 1), now=NOW)
    with pytest.raises(ValidationError, match="overlapping"):
        actions.reopen_unit(
            by=None, unit=unit, parent=unit.parent, territory=unit.territory, from_month=date(2023, 2, 1), now=NOW
        )
    actions.reopen_unit(by=None, unit=unit, parent=unit.parent, territory=unit.territory, from_month=JULY, now=NOW)
    stands = [m for m in range(1, 9) if Unit.objects.in_month(date(2023, m, 1)).filter(pk=unit.pk).exists()]
    assert stands == [1, 2, 7, 8]
    with pytest.raises(ValidationError, match="is open"):
        actions.reopen_unit(by=None, unit=unit, parent=unit.parent, territory=None, from_month=JULY, now=NOW)


def test_an_institution_opens_with_the_unit_at_its_head(country):
    root = {"code": "FGE-EC", "name": "Fiscalía", "name_en": "", "territory": country.territories["EC"]}
    made = actions.open_institution(
        by=None,
        code="FGE",
        short_name="FGE",
        name="Fiscalía",
        root=root,
        parent=country.unit("EST-EC"),
        from_month=JULY,
        now=NOW,
    )
    assert Institution.objects.get(code="FGE") == made
    assert Unit.objects.get(code="FGE-EC").path[0] == country.unit("EST-EC").pk


def test_the_history_keeps_who_and_why(country):
    by = country.people["administrator"]
    actions.rename_unit(by=by, unit=country.unit("PN-Z1"), name="Zona Uno", reason="new decree")
    event = Unit.pgh_event_model.objects.filter(pgh_obj=country.unit("PN-Z1")).order_by("-pgh_id").first()
    assert (event.name, event.pgh_label) == ("Zona Uno", "update")
    assert event.pgh_context.metadata == {"user": by.pk, "reason": "new decree"}


def test_a_withdrawn_password_no_longer_opens_the_account(country, client):
    user = country.people["viewer"]
    user.set_password("a long enough secret")
    user.save()
    assert client.login(username="viewer", password="a long enough secret")
    actions.withdraw_password(by=country.people["administrator"], user=User.objects.get(pk=user.pk))
    assert not client.login(username="viewer", password="a long enough secret")
