"""The operator's pages: what each feed does, what waits, and that the secret is on none of them."""

import pytest
from django.test import Client
from django.utils import timezone

from incidents.connect import actions
from incidents.connect import pull as pulling
from incidents.connect.models import Connector, DeadLetter
from incidents.models import Category, Incident
from tests.incidents.feed.conftest import item
from units.actions import grant_role
from units.models import User
from units.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(country):
    """A client of an integrator of the police, who reads English."""
    user = User.objects.create(username="op", language="en")
    grant_role(by=None, user=user, role=Role.INTEGRATOR, unit=country.units["EC"])
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def test_list_says_how_each_feed_stands(source, connect, operator, account, country):
    User.objects.filter(pk=account.pk).update(institution=country.police)
    connect(source(), name="paused")
    Connector.objects.update(is_active=False)
    broken = source()
    broken.faults = [(500, {}, b"")]
    pulling.pull(pk=connect(broken, name="broken").pk)
    pulling.pull(pk=connect(source([item("A"), item("B", category="NO")]), name="calls").pk)
    lines = operator.get("/manage/feeds/?format=csv").content.decode("utf-8-sig").splitlines()
    rows = {line.split(",")[0]: line for line in lines}
    assert "paused" in rows["paused"]
    assert "failing" in rows["broken"]
    assert "up to date" in rows["calls"]
    assert rows["calls"].endswith(",1,1,0,1")
    assert "nothing came yet" in rows[account.username]
    page = operator.get("/manage/feeds/?state=failing").content.decode()
    assert "broken" in page
    assert "/manage/feeds/calls/" not in page
    assert "1 feed needs a look" in page
    assert "/manage/dead-letters/?feed=connector.calls" in operator.get("/manage/feeds/").content.decode()
    assert b"NO" in operator.get("/manage/dead-letters/?feed=connector.calls").content
    one = operator.get("/manage/feeds/broken/").content.decode()
    assert "The source has failed." in one


def test_a_feed_that_is_sent_leads_to_its_account_for_who_manages_accounts(operator, account, country):
    User.objects.filter(pk=account.pk).update(institution=country.police)
    href = f'href="/manage/accounts/{account.username}/"'
    assert href not in operator.get("/manage/feeds/").content.decode()
    grant_role(by=None, user=User.objects.get(username="op"), role=Role.ADMINISTRATOR, unit=country.units["EC"])
    assert href in operator.get("/manage/feeds/").content.decode()
    assert operator.get(f"/manage/accounts/{account.username}/").status_code == 200


def test_points_that_are_none_are_counted_and_shown_once(source, connect, operator):
    zero, outside = {"longitude": 0, "latitude": 0}, {"longitude": 10.5, "latitude": 50}
    connector = connect(source([item("A", **zero), item("B", **outside), item("C"), item("D", category="NO", **zero)]))
    pulling.pull(pk=connector.pk)
    pulling.pull(pk=connector.pk, is_due=False)  # what is known already is not counted again
    lines = operator.get("/manage/feeds/?format=csv").content.decode("utf-8-sig").splitlines()
    (line,) = [line for line in lines if line.startswith("calls,")]
    assert line.endswith(",3,2,2,1"), "taken, refused, without a usable point, waiting"
    page = operator.get("/manage/feeds/calls/").content.decode()
    assert "<dt>Without a usable point, 24 h</dt><dd>2</dd>" in page
    said = Client().get("/metrics").content.decode()
    for flag in ("point_zero", "point_outside"):
        assert f'tablero_feed_flags_total{{flag="{flag}",institution="PN"}} ' in said


def test_the_list_asks_as_many_questions_for_many_feeds_as_for_few(source, connect, operator, count_queries):
    def queries_of(n):
        for k in range(n):
            connect(source(), name=f"c{n}-{k}")
        with count_queries() as queries:
            operator.get("/manage/feeds/")
        return len(queries)

    queries_of(1)
    assert queries_of(2) == queries_of(6)


def test_the_secret_is_shown_nowhere_and_forgotten_with_the_host(source, connect, operator):
    connector = connect(source([]))
    assert operator.post("/manage/feeds/calls/secret", {"secret": "Bearer s3cret"}).status_code == 302
    connector.refresh_from_db()
    assert connector.secret == "Bearer s3cret"
    pages = ["", "calls/", "calls/edit", "calls/secret", "?format=csv", "calls/active", "calls/restart"]
    for page in pages:
        assert b"s3cret" not in operator.get(f"/manage/feeds/{page}").content
    assert "secret" not in {field.name for field in Connector.pgh_event_model._meta.fields}
    actions.edit(by=None, connector=connector, now=timezone.now(), url=connector.url + "?all=1")
    connector.refresh_from_db()
    assert connector.secret
    actions.edit(by=None, connector=connector, now=timezone.now(), url="http://127.0.0.1:1/items")
    connector.refresh_from_db()
    assert (connector.secret, connector.cursor) == ("", "")


def test_connector_is_added_paused_and_read_from_its_beginning(operator, country, settings):
    given = {
        "institution": "PN", "name": "calls", "url": "ftp://example.org", "paging": "page", "every_seconds": "60",
        "step": "confirm",
    }  # fmt: skip
    assert b"http or https" in operator.post("/manage/feeds/new", given).content
    given["url"] = "https://example.org/calls"
    assert operator.post("/manage/feeds/new", given).status_code == 302
    again = operator.post("/manage/feeds/new", given)
    assert again.context["form"].errors == {"name": ["There is a connector of this name already: choose another."]}
    connector = Connector.objects.get()
    assert (connector.account.institution, connector.account.has_usable_password()) == (country.police, False)
    Connector.objects.update(cursor="7")
    operator.post("/manage/feeds/calls/restart", {"step": "confirm", "reason": "lost"})
    operator.post("/manage/feeds/calls/active", {"step": "confirm", "reason": "holiday"})
    connector.refresh_from_db()
    assert (connector.cursor, connector.is_active) == ("", False)
    operator.post("/manage/feeds/calls/run")
    assert pulling.due(now=timezone.now()) == []


def test_letters_are_inspected_replayed_and_dismissed(source, connect, operator):
    pulling.pull(pk=connect(source([item("A", category="NO"), item("B", category="NO"), item("C", place="?")])).pk)
    kept = {letter.external_id: letter.pk for letter in DeadLetter.objects.all()}
    assert b"unknown_category" in operator.get("/manage/dead-letters/").content
    assert b"&quot;external_id&quot;: &quot;A&quot;" in operator.get(f"/manage/dead-letters/{kept['A']}/").content
    Category.objects.create(code="NO", name="No")
    said = operator.post("/manage/dead-letters/", {"letter": kept["A"], "do": "replay"}, follow=True)
    assert b"1 created" in said.content
    operator.post("/manage/dead-letters/", {"all": "1", "rule": "unknown_category"})
    assert Incident.objects.count() == 2
    left = {"letter": kept["C"], "do": "dismiss"}
    assert operator.post("/manage/dead-letters/", left).status_code == 200
    assert DeadLetter.objects.filter(state="waiting").count() == 1, "it is asked first"
    operator.post("/manage/dead-letters/", {**left, "step": "confirm"})
    assert not DeadLetter.objects.filter(state="waiting").exists()


def test_figures_tell_of_connectors_letters_and_jobs(source, connect, client):
    from scorecard.live import count

    pulling.pull(pk=connect(source([item("A", category="NO")])).pk)
    count.say(7)
    said = client.get("/metrics").content.decode()
    assert 'tablero_dead_letters_waiting{institution="PN"} 1.0' in said
    assert 'tablero_connector_lag_seconds{connector="calls"} 0.' in said
    assert 'tablero_jobs{state="queued"} 0.0' in said
    assert "tablero_live_streams 7.0" in said
