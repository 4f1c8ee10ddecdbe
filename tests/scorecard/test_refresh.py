"""Cards are what the figures say: refreshed whole, drained piece by piece, computed once more by another path."""

import pytest

from indicators.models import StaleMark
from scorecard.audit import Audit
from scorecard.models import Card
from scorecard.refresh import drain, refresh
from tests.scorecard.random_country import NOW, RandomCountry

pytestmark = pytest.mark.django_db


def differences():
    return [str(difference) for difference in Audit(now=NOW).differences()]


def drain_all():
    while StaleMark.objects.exists():
        drain(now=NOW)


def digests():
    cards = Card.objects.values_list("month", "unit_id", "digest")
    return {(month, unit): digest for month, unit, digest in cards}


@pytest.mark.parametrize("seed", range(8))
def test_refreshed_cards_are_what_the_slow_path_says(seed):
    RandomCountry(seed)
    refresh(now=NOW)
    assert differences() == []


def test_a_second_refresh_writes_nothing():
    RandomCountry(3)
    first = refresh(now=NOW)
    again = refresh(now=NOW)
    assert first.written == Card.objects.count() > 100
    assert (again.written, again.removed) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_changes_drained_one_by_one_equal_a_refresh_from_scratch(seed):
    country = RandomCountry(seed)
    if seed % 2:
        refresh(now=NOW)
        StaleMark.objects.all().delete()
    else:
        drain_all()
    done = []
    for _ in range(12):
        done.append(country.change())
        if country.chance(0.6):
            drain_all()
    drain_all()
    drained = digests()
    assert differences() == [], done
    assert refresh(now=NOW).written == 0, done
    Card.objects.all().delete()
    refresh(now=NOW)
    assert digests() == drained, done
