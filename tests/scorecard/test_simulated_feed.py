"""The simulated feed: what it sends is taken as it stands, follows up what it opened, and comes through a real site."""

import json
import stat
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from incidents import counting
from incidents.feed import receive
from incidents.models import Category, CountMark, Incident, IncidentKey
from indicators.models import Batch
from scorecard import engines, supervisor
from scorecard.sample import feeders, load, recent, structure
from scorecard.sample.feed import Feed
from scorecard.sample.institutions import EMERGENCY, POLICE
from scorecard.sample.state import KIND
from units import tokens
from units.models import ServiceToken, User

pytestmark = pytest.mark.django_db
NOW = timezone.localtime()


def said(hours, every=timedelta(seconds=5), seed=1, **about):
    """What a feed says in so many hours, as (institution, item, when)."""
    feed, at, found = Feed(np.random.default_rng(seed), "test", **about), NOW - timedelta(hours=hours), []
    while at < NOW:
        found.append((*feed.next(at), at))
        at += every
    return found


@pytest.fixture(scope="module")
def standing(django_db_setup, django_db_blocker):
    """The sample's frame of places, units, sheets and rules, without a figure: for all tests, which change it back."""
    with django_db_blocker.unblock(), transaction.atomic():
        with load.unwatched("test"):
            bodies = structure.add_units(structure.add_places())
            people = structure.add_people("!")
            structure.add_indicators(bodies)
            structure.add_sheets(people)
            structure.add_assignments(*structure.reporters())
            structure.add_event_rules(bodies, since=recent.since(NOW).item())
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE"
            )  # nobody sees these rows before the end, so that the server would never learn of them
        yield bodies
        transaction.set_rollback(True)


@pytest.fixture
def country(standing, db):
    return standing


def test_every_item_is_taken_and_what_it_follows_up_was_sent_before(country):
    account = User.objects.first()
    results, words = set(), set()
    for code in (EMERGENCY, POLICE):
        items = [item for institution, item, _at in said(2, seed=4) if institution == code]
        body = json.dumps(items).encode()
        outcome = receive(account=account, institution=country[code], body=body, now=timezone.now())
        assert outcome.counts.get("refused", 0) == 0, outcome.body()
        results |= {name for name, number in outcome.counts.items() if number}
        words |= {item.get("action", "upsert") for item in items}
    assert words == {"upsert", "reclassify", "retract"}
    assert {"created", "updated", "reclassified", "retracted"} <= results
    assert Incident.objects.exclude(source__code__in=(EMERGENCY, POLICE)).count() == 0
    assert IncidentKey.objects.filter(external_id__startswith="SIM-").count() == IncidentKey.objects.count()


def test_what_it_sends_is_counted_by_the_rules_of_the_sample(country):
    """A figure moves for each institution: the marks that its events leave find rules that count them."""
    for code in (EMERGENCY, POLICE):
        body = json.dumps([item for one, item, _at in said(0.2) if one == code]).encode()
        receive(account=User.objects.first(), institution=country[code], body=body, now=timezone.now())
    assert CountMark.objects.exists()
    marks, changed = counting.drain(now=timezone.now())
    assert marks
    assert changed.created
    assert not CountMark.objects.exists()


def test_an_emergency_goes_through_its_stages_in_order_and_none_lies_in_the_future():
    versions = {}
    for _institution, item, at in said(1, institutions=(EMERGENCY,)):
        stages = [item[name] for name in (f"{stage}_at" for stage in recent.STAGES) if name in item]
        assert stages == sorted(stages)
        assert stages[-1] <= at.isoformat(timespec="seconds")
        assert item["version"] == versions.get(item["external_id"], 0) + 1
        versions[item["external_id"]] = item["version"]
    assert max(versions.values()) == 5


def test_one_institution_alone_is_fed_where_there_is_but_its_token():
    assert {institution for institution, _item, _at in said(0.5, institutions=(POLICE,))} == {POLICE}


def test_an_item_of_the_feed_names_categories_that_there_are(country):
    named = {item["category"] for _one, item, _at in said(3) if "category" in item}
    assert named <= set(Category.objects.values_list("code", flat=True))
    assert len(named) > 10


# Its accounts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(country, tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    Batch.objects.create(kind=KIND, at=NOW, is_simulated=True, report={"is_complete": True})
    return tmp_path / "run" / "feeds"


def test_each_institution_has_an_account_and_a_token_in_a_private_file_that_is_kept(loaded):
    feeders.make_ready(NOW)
    files = sorted(loaded.glob("*.token"))
    assert [path.stem for path in files] == [EMERGENCY, POLICE]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before = files[0].read_text()
    feeders.make_ready(NOW + timedelta(days=2))
    assert files[0].read_text() == before
    account = tokens.account_of(before, NOW)
    assert account.institution.code == EMERGENCY
    assert account.token.may_write
    assert not account.has_usable_password()


def test_a_token_that_ends_soon_is_replaced_and_the_old_one_opens_nothing(loaded):
    feeders.make_ready(NOW)
    old = (loaded / f"{POLICE}.token").read_text()
    feeders.make_ready(NOW + feeders.LASTS)
    assert (loaded / f"{POLICE}.token").read_text() != old
    with pytest.raises(tokens.TokenError):
        tokens.account_of(old, NOW)
    assert ServiceToken.objects.filter(revoked_at=None).count() == 2


def test_a_country_from_files_has_no_simulated_feed(country, tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    feeders.make_ready(NOW)
    assert not User.objects.exclude(institution=None).exists()
    assert supervisor.feeds(tmp_path, "127.0.0.1", 8000) == []


# The command ---------------------------------------------------------------------------------------------------------


def test_the_demo_runs_it_unless_told_not_to(tmp_path, monkeypatch):
    monkeypatch.delenv("FEED", raising=False)
    assert supervisor.feeds(tmp_path, "127.0.0.1", 8000) == []  # nobody to speak as
    engines.write_private(tmp_path / "run" / "feeds" / "ECU.token", "tab_x")
    (program,) = supervisor.feeds(tmp_path, "127.0.0.1", 8000)
    assert program.name == "feed"
    assert "tab_x" not in " ".join(program.argv)
    monkeypatch.setenv("FEED", "0")
    assert supervisor.feeds(tmp_path, "127.0.0.1", 8000) == []
    monkeypatch.setenv("FEED", "often")
    with pytest.raises(supervisor.DemoError, match="FEED=often"):
        supervisor.feed_rate()


def test_it_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    with pytest.raises(CommandError):
        call_command("simulate_feed")
    with pytest.raises(CommandError):
        call_command("simulate_feed", token=[f"ECU={tmp_path}/none"])
