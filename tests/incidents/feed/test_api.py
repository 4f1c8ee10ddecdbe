"""POST /api/v1/incidents and the jobs of large bodies."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents import tasks
from incidents.api import ingest
from incidents.connect.models import DeadLetter
from incidents.feed import jobs
from incidents.models import CountMark, Incident, Job
from indicators.models import StaleMark
from tests.incidents.feed.conftest import item
from tests.incidents.test_layouts_of_feeds import LAYOUTS
from units.actions import grant_role
from units.models import IdempotencyKey, User
from units.permissions import Role

URL = "/api/v1/incidents"


@pytest.fixture
def post(country):
    """`post(body, ...)` with the token of the police's integrator."""
    from units import actions, tokens

    def client_of(role):
        account = User.objects.create(username=f"feed.{role}", institution=country.police)
        actions.grant_role(by=None, user=account, role=role, unit=country.units["EC"])
        now = timezone.now()
        _, plain = tokens.issue(by=None, account=account, name="t", expires_at=now + timedelta(days=1), now=now)
        return Client(headers={"Authorization": f"Bearer {plain}", "Accept-Language": "en"})

    clients = {}

    def send(body, role=Role.INTEGRATOR, url=URL, kind="application/json", meta=None, **headers):
        client = clients.setdefault(role, client_of(role)) if role not in clients else clients[role]
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(url, body, content_type=kind, headers=headers, **(meta or {}))

    send.get = lambda url: clients[Role.INTEGRATOR].get(url)
    return send


@pytest.mark.django_db
def test_answer_tells_of_every_item(post):
    response = post([item(), item("B", category="NO.SUCH"), item("C", place=None)])
    assert response.status_code == 200
    answer = response.json()
    assert (answer["created"], answer["refused"]) == (2, 1)
    assert answer["items"][1] == {
        "index": 1,
        "external_id": "B",
        "result": "refused",
        "errors": [
            {
                "field": "category",
                "rule": "unknown_category",
                "message": "There is no such category in the catalogue. (NO.SUCH)",
            }
        ],
    }
    assert answer["items"][2]["flags"] == ["place_missing"]


@pytest.mark.django_db
def test_same_key_gets_the_same_answer(post):
    first = post(item(), **{"Idempotency-Key": "k1"})
    again = post(item(), **{"Idempotency-Key": "k1"})
    assert first.json()["created"] == again.json()["created"] == 1
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Incident.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "how", "status", "rule"),
    [
        ([item(source="MDI"), item("B", source="MDI")], {}, 403, "other_institution"),
        (b"[{", {}, 400, "body_malformed"),
        (b"", {}, 400, "body_empty"),
        ([item()], {"kind": "text/html"}, 415, "kind_unknown"),
        ([item()], {"role": Role.VIEWER}, 403, "no_integrator"),
    ],
)
def test_body_is_refused_whole(post, body, how, status, rule):
    response = post(body, **how)
    assert (response.status_code, response.json()["rule"]) == (status, rule)
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_dry_run_writes_nothing(post):
    response = post([item()], url=f"{URL}?dry_run=1")
    assert (response.json()["created"], response.json()["dry_run"]) == (1, True)
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_a_dry_run_keeps_no_key_and_the_request_itself_follows_under_it(post):
    for _ in range(2):
        response = post([item()], url=f"{URL}?dry_run=1", **{"Idempotency-Key": "k1"})
        assert (response.status_code, response.json()["created"]) == (200, 1)
    response = post([item()], **{"Idempotency-Key": "k1"})
    assert (response.status_code, response.json()["created"]) == (200, 1)
    assert Incident.objects.count() == 1


@pytest.mark.django_db
def test_large_body_is_a_job_that_goes_on_where_it_was_left(post, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 3)
    monkeypatch.setattr(jobs, "PART", 2)
    response = post([item(f"A-{n}") for n in range(5)] + [item("BAD", category="NO")])
    assert response.status_code == 202
    job = Job.objects.get()
    assert response.headers["Location"] == response.json()["job"] == f"/api/v1/jobs/{job.pk}"
    Job.objects.update(done=2, report={"created": 2, "items": []})  # as if a worker had died after the first part
    jobs.take_job(pk=job.pk, now=timezone.now())
    jobs.take_job(pk=job.pk, now=timezone.now())
    answer = post.get(f"/api/v1/jobs/{job.pk}").json()
    assert (answer["state"], answer["items"], answer["done"]) == ("done", 6, 6)
    assert (answer["report"]["created"], answer["report"]["refused"]) == (5, 1)
    assert [said["index"] for said in answer["report"]["items"]] == [5]
    assert Incident.objects.count() == 3
    job.refresh_from_db()
    assert job.body is None


@pytest.mark.django_db
def test_an_item_of_another_institution_is_refused_by_itself(post):
    answer = post([item(source="PN"), item("B", source="MDI"), item("C")]).json()
    assert (answer["created"], answer["refused"]) == (2, 1)
    assert answer["items"][1]["errors"] == [
        {
            "field": "source",
            "rule": "other_institution",
            "message": "The token speaks for another institution. (MDI)",
        }
    ]


@pytest.mark.django_db
def test_an_item_of_another_institution_ends_no_job(post, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 3)
    monkeypatch.setattr(jobs, "PART", 2)
    body = [item("A"), item("B"), item("C", source="MDI"), item("D", source="MDI"), item("E"), item("F")]
    assert post(body).status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    job = Job.objects.get()
    assert (job.state, job.done, job.report["created"], job.report["refused"]) == ("done", 6, 4, 2)
    assert [(said["index"], said["errors"][0]["rule"]) for said in job.report["items"]] == [
        (2, "other_institution"),
        (3, "other_institution"),
    ]
    assert list(DeadLetter.objects.order_by("external_id").values_list("external_id", flat=True)) == ["C", "D"]


# Bodies that break off --------------------------------------------------------------------------------------------

HEADER = "external_id,category,occurred_on,place,victim.1.sex,victim.1.age"
TABLE = (
    f"{HEADER}\nA,HOMICIDE.MURDER,2024-11-20,09D01C01S01,HOMBRE,30\nB,HOMICIDE.MURDER,2024-11-20,09D01C01S01,HOMBRE,3"
)
LINES = "\n".join(json.dumps(item(name)) for name in "AB")
SHORT = [
    (TABLE, "text/csv"),
    (LINES, "application/x-ndjson"),
    ("[" + LINES.replace("\n", ",")[:-9], "application/json"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "kind"), SHORT, ids=["csv", "ndjson", "json"])
def test_of_a_body_shorter_than_announced_the_last_line_is_not_taken(post, body, kind):
    body = body.encode()
    short = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 1)}
    response = post(body, kind=kind, meta=short, **{"Idempotency-Key": "k1"})
    answer = response.json()
    assert (answer["created"], answer["cut"]["item"], answer["cut"]["rule"]) == (1, 1, "body_cut")
    assert not IdempotencyKey.objects.exists(), "the whole body may follow under the same key"


@pytest.mark.django_db
def test_a_body_that_breaks_off_as_announced_keeps_no_key_either(post):
    whole = json.dumps([item("A"), item("B")]).encode()
    assert post(whole[:-9], **{"Idempotency-Key": "k1"}).json()["cut"]["item"] == 1
    answer = post(whole, **{"Idempotency-Key": "k1"}).json()
    assert (answer["created"], answer["unchanged"]) == (1, 1)
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db
def test_nor_does_one_that_is_a_job(post, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 1)
    whole = json.dumps([item(name) for name in "ABC"]).encode()
    assert post(whole[:-9], **{"Idempotency-Key": "k1"}).json()["cut"]["item"] == 2
    answer = post(whole, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, "cut" in answer.json()) == (202, False)


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "kind"), SHORT, ids=["csv", "ndjson", "json"])
def test_a_job_knows_that_its_body_was_shorter_than_announced(post, monkeypatch, body, kind):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    body = body.encode()
    post(body, kind=kind, meta={"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 1)})
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    report = Job.objects.get().report
    assert (report["created"], report["cut"]["item"]) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "text/csv"])
def test_rows_of_a_layout_break_off_as_others_do(post, kind):
    rows = [LAYOUTS["ecu911-emergencies"] | {"Número incidente": name} for name in "AB"]
    body = laid("", kind, rows).rstrip()[:-2]
    meta = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 2)}
    answer = post(body, url=f"{URL}?layout=ecu911-emergencies", kind=kind, meta=meta).json()
    assert (answer["refused"], len(answer["items"]), answer["cut"]["item"]) == (0, 1, 1)


@pytest.mark.django_db
def test_letters_of_a_job_that_breaks_off_hold_the_items_that_were_refused(post, monkeypatch):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    assert post(json.dumps([item("A"), item("B", category="NO"), item("C")])[:-9].encode()).status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    assert json.loads(bytes(DeadLetter.objects.get().raw))["external_id"] == "B"


@pytest.mark.django_db
def test_a_job_keeps_what_no_text_of_the_database_can_be(post, monkeypatch):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    assert post([item("A"), item("B\0", category="NO"), item("C", reason="a\0b")]).status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    assert Job.objects.get().state == "done"
    assert DeadLetter.objects.count() == 2


@pytest.mark.django_db
def test_letters_of_a_table_that_breaks_off_within_a_letter_hold_the_rows_that_were_refused(post, monkeypatch):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    body = f"{HEADER}\nA,NO,2024-11-20,09D01C01S01,HOMBRE,30\nB,HOMICIDE.MURDER,2024-11-20,,niñ".encode()[:-1]
    assert post(body, kind="text/csv").status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    assert Job.objects.get().state == "done"
    assert json.loads(bytes(DeadLetter.objects.get().raw))["external_id"] == "A"


@pytest.mark.django_db
def test_a_row_whose_quotation_marks_are_wrong_ends_no_job_and_is_named_by_its_line(post, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 2)
    rows = [LAYOUTS["ecu911-emergencies"] | {"Número incidente": name} for name in "AXC"]
    body = laid("", "text/csv", rows).replace(b"X", b'"X"x')
    url = f"{URL}?layout=ecu911-emergencies"
    answer = post(body, url=f"{url}&dry_run=1", kind="text/csv").json()
    assert [(one["row"], one["result"]) for one in answer["items"]] == [(2, "created"), (3, "refused"), (4, "created")]
    assert post(body, url=url, kind="text/csv").status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    job = Job.objects.get()
    assert (job.state, job.report["created"], job.report["refused"]) == ("done", 2, 1)


@pytest.mark.django_db
def test_two_items_on_a_line_are_refused_and_end_no_job(post, monkeypatch):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    good, also = (json.dumps(item(name)) for name in "AB")
    assert post(f"{good} {also}\n{also}\n".encode(), kind="application/x-ndjson").status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    job = Job.objects.get()
    assert (job.state, job.report["created"], job.report["refused"]) == ("done", 1, 1)
    assert bytes(DeadLetter.objects.get().raw).decode() == f"{good} {also}"


# Faults of ours -----------------------------------------------------------------------------------------------------


@pytest.fixture
def broken_at(monkeypatch):
    """`broken_at(external_id)`: whoever takes a part that holds this item fails. Parts are of two items."""
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 3)
    monkeypatch.setattr(jobs, "PART", 2)
    real = jobs.take

    def break_at(external_id):
        def take(*, decoded, **how):
            if external_id in [item.external_id for item in decoded.items]:
                raise ZeroDivisionError
            return real(decoded=decoded, **how)

        monkeypatch.setattr(jobs, "take", take)

    return break_at


@pytest.mark.django_db
def test_a_job_that_fails_again_and_again_ends_and_names_what_was_not_taken(post, broken_at, caplog):
    broken_at("D")
    assert post([item(name) for name in "ABCDE"]).status_code == 202
    job = Job.objects.get()
    for n in range(jobs.ATTEMPTS):
        assert Job.objects.get().state in ("queued", "running"), n
        tasks.take_job(str(job.pk))
    answer = post.get(f"/api/v1/jobs/{job.pk}").json()
    assert (answer["state"], answer["done"], answer["report"]["created"]) == ("failed", 2, 2)
    assert answer["report"]["error"]["rule"] == "job_failed"
    assert answer["report"]["not_taken"] == {"from": 2, "to": 4, "external_ids": ["C", "D", "E"]}
    assert Incident.objects.count() == 2
    assert caplog.text.count("ZeroDivisionError") >= jobs.ATTEMPTS
    tasks.take_job(str(job.pk))
    assert jobs.left(before=timezone.now()) == []


@pytest.mark.django_db
def test_a_job_that_fails_keeps_no_other_waiting(post, broken_at):
    broken_at("BAD")
    for first in ("BAD", "GOOD"):
        post([item(first), *(item(f"{first}-{n}") for n in range(3))])
    Job.objects.update(at=timezone.now() - timedelta(hours=1))
    tasks.sweep_jobs()
    assert sorted(Job.objects.values_list("state", "attempts")) == [("done", 1), ("queued", 1)]


@pytest.mark.django_db
def test_a_job_that_kills_its_workers_ends_too(post, broken_at):
    broken_at("")
    assert post([item(name) for name in "ABCDE"]).status_code == 202
    Job.objects.update(attempts=jobs.ATTEMPTS)  # as if so many workers had died of it
    tasks.take_job(str(Job.objects.get().pk))
    job = Job.objects.get()
    assert (job.state, job.report["not_taken"], job.body) == ("failed", {"from": 0}, None)


@pytest.mark.django_db
def test_a_part_that_was_taken_gives_all_attempts_again(post, broken_at):
    broken_at("D")
    assert post([item(name) for name in "ABCDE"]).status_code == 202
    Job.objects.update(attempts=jobs.ATTEMPTS - 1)
    tasks.take_job(str(Job.objects.get().pk))
    assert (Job.objects.get().state, Job.objects.get().done, Job.objects.get().attempts) == ("running", 2, 1)


@pytest.mark.django_db
def test_a_job_is_told_to_its_sender_and_to_those_who_operate_the_feeds(post, country, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 0)
    href = post(item()).json()["job"]

    def status_for(name, role, unit):
        person = User.objects.create(username=name, institution=country.police)
        if role:
            grant_role(by=None, user=person, role=role, unit=country.units[unit])
        client = Client()
        client.force_login(person)
        return client.get(href).status_code

    assert post.get(href).status_code == 200
    assert status_for("attached", None, "") == 404
    assert status_for("viewer", Role.VIEWER, "EC") == 403
    assert status_for("low", Role.INTEGRATOR, "09D01") == 403
    assert status_for("operator", Role.ADMINISTRATOR, "EC") == 200
    assert post.get(href.replace(href[-12:], "0" * 12)).status_code == 404


@pytest.mark.django_db
def test_job_of_an_unreadable_body_fails_and_says_why(post, monkeypatch):
    monkeypatch.setattr(ingest, "AT_ONCE", 10)
    assert post(b'[{"external_id": "A"}, x]').status_code == 202
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    job = Job.objects.get()
    assert (job.state, job.report["error"]["rule"]) == ("failed", "body_malformed")


# In an institution's own columns --------------------------------------------------------------------------------------


def laid(name, kind, rows):
    """A body of rows in the columns of a layout."""
    if kind == "text/csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()
    if kind == "application/x-ndjson":
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return json.dumps(rows).encode()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "text/csv"])
@pytest.mark.parametrize("name", ["ecu911-emergencies", "fiscalia-complaints", "police-arrests"])
def test_rows_come_in_the_columns_of_a_layout_on_a_new_catalogue(name, kind, post):
    response = post(laid(name, kind, [LAYOUTS[name]]), url=f"{URL}?layout={name}", kind=kind)
    answer = response.json()
    assert (answer["created"], answer["refused"]) == (1, 0), answer
    assert answer["items"][0]["row"] == (2 if kind == "text/csv" else 1)
    again = post(laid(name, kind, [LAYOUTS[name]]), url=f"{URL}?layout={name}", kind=kind)
    assert again.json()["unchanged"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_what_is_wrong_is_said_in_the_sources_own_names(kind, post):
    given = LAYOUTS["ecu911-emergencies"]
    bad = given | {"Fecha": "31/02/2023", "Longitud": "79°54'O", "Servicio": "Correos", "Arribo": "pronto"}
    response = post(laid("", kind, [given, bad]), url=f"{URL}?layout=ecu911-emergencies", kind=kind)
    good, item = response.json()["items"]
    assert (good["result"], item["result"], item["row"]) == ("created", "refused", 3 if kind == "text/csv" else 2)
    found = {error["column"]: error["rule"] for error in item["errors"]}
    assert found == {
        "Fecha": "date_impossible", "Longitud": "point_unreadable", "Arribo": "time_unreadable",
        "Servicio": "value_unknown",
    }  # fmt: skip


@pytest.mark.django_db
def test_a_table_without_a_layouts_columns_is_refused_whole(post):
    url = f"{URL}?layout=ecu911-emergencies"
    response = post(b"a;b\n1;2\n", url=url, kind="text/csv")
    assert (response.status_code, response.json()["rule"]) == (400, "header_unreadable")
    assert post([item()], url=f"{URL}?layout=mdi-homicides").json()["rule"] == "layout_unknown"
    assert post(b"[1", url=url).json()["rule"] == "body_malformed"
    assert post([7], url=url).json()["items"][0]["errors"][0]["rule"] == "item_unreadable"


@pytest.mark.django_db
def test_a_large_body_keeps_its_layout(post, monkeypatch):
    monkeypatch.setattr(ingest, "ITEMS_AT_ONCE", 1)
    given = LAYOUTS["ecu911-emergencies"]
    rows = [given, given | {"Servicio": "Correos"}]
    response = post(laid("", "text/csv", rows), url=f"{URL}?layout=ecu911-emergencies", kind="text/csv")
    assert (response.status_code, response.json()["job"]) == (202, response.headers["Location"])
    jobs.take_job(pk=Job.objects.get().pk, now=timezone.now())
    report = post.get(response.json()["job"]).json()["report"]
    assert (report["created"], report["refused"]) == (1, 1)
    assert (report["items"][-1]["row"], report["items"][-1]["errors"][0]["column"]) == (3, "Servicio")


def test_large_body_is_taken_by_a_worker(real_celery, wait_until, monkeypatch):
    from incidents.feed import decode
    from tests.incidents.country import Country, small_rows

    country = Country(small_rows())
    account = User.objects.create(username="feed", institution=country.police)
    body = json.dumps([item(f"A-{n}") for n in range(50)]).encode()
    job = jobs.accept(account=account, institution=country.police, body=body, kind=decode.JSON, now=timezone.now())
    wait_until(lambda: Job.objects.get(pk=job.pk).state == "done")
    assert Incident.objects.count() == 50
    # Or the worker would still count while the tables are emptied.
    wait_until(lambda: not CountMark.objects.exists() and not StaleMark.objects.exists())
