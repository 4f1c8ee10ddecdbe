"""POST /api/v1/measurements: what of a body is taken, what is not and why, and what happens when it is sent again."""

import io
import json

import numpy as np
import pytest

from indicators.models import Batch, Measurement, MeasurementPast, StaleMark
from indicators.sent import rules
from tests.factories import MONTH
from units import actions
from units.models import IdempotencyKey
from units.permissions import Role

pytestmark = pytest.mark.django_db
URL = "/api/v1/measurements"
AT = f"{MONTH:%Y-%m}"
UNITS = ("PN-01D01C01", "PN-01D01C02", "PN-01D02C01")


@pytest.fixture
def police(country, api):
    return api(Role.INTEGRATOR, country.unit("PN-EC"), username="feed.pn")


def row(unit=UNITS[0], numerator=507.0, **more):
    said = {"month": AT, "indicator": "PN.PATROLS", "unit": unit, "numerator": numerator, **more}
    return {name: value for name, value in said.items() if value is not ...}


def send(client, body, query="", kind="application/json", **headers):
    body = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post(URL + query, body, content_type=kind, headers=headers)


def results(response):
    assert response.status_code == 200, response.content
    return [item["result"] for item in response.json()["items"]]


def rules_of(response):
    return {item["index"]: item["errors"][0]["rule"] for item in response.json()["items"] if "errors" in item}


def figures(indicator="PN.PATROLS", month=MONTH):
    held = Measurement.objects.filter(indicator__code=indicator, month=month, unit__code__in=UNITS)
    return dict(held.values_list("unit__code", "numerator"))


def test_rows_are_recorded_as_by_any_other_way_in_and_the_past_is_kept(police):
    before = figures()[UNITS[1]]
    answer = send(police, [row(), row(UNITS[1], before), row(UNITS[2], state="blank", numerator=...)])
    assert results(answer) == ["updated", "unchanged", "blanked"]
    assert (answer.json()["updated"], answer.json()["unchanged"], answer.json()["blanked"]) == (1, 1, 1)
    assert figures() == {UNITS[0]: 507, UNITS[1]: before}
    held = Measurement.objects.get(indicator__code="PN.PATROLS", month=MONTH, unit__code=UNITS[0])
    assert (held.source, held.is_provisional, held.recorded_by_id) == ("api", True, police.account.pk)
    past = MeasurementPast.objects.filter(indicator__code="PN.PATROLS", month=MONTH)
    assert past.count() == 2
    assert set(past.values_list("reason", flat=True)) == {"test"}
    assert Batch.objects.latest("pk").report == {"created": 0, "changed": 1, "blanked": 1}
    assert StaleMark.objects.filter(indicator__code="PN.PATROLS", month=MONTH).exists()
    assert results(send(police, [row(UNITS[2], 3)])) == ["created"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps(row())),
        ("application/json", json.dumps([row()])),
        ("application/json", json.dumps({"items": [row()]})),
        ("application/json", json.dumps({"columns": {name: [value] for name, value in row().items()}})),
        ("application/x-ndjson", json.dumps(row()) + "\n"),
        ("text/csv", f"month,indicator,unit,numerator,denominator\n{AT},PN.PATROLS,{UNITS[0]},507,\n"),
        ("text/csv; charset=utf-8", f"\ufeffunit;month;indicator;numerator\r\n{UNITS[0]};{AT};PN.PATROLS;507.0\r\n"),
    ],
)
def test_a_body_says_the_same_in_every_form(kind, body, police):
    assert results(send(police, body.encode(), kind=kind)) == ["updated"]
    assert figures()[UNITS[0]] == 507


BAD = [
    (row(month="2023-13"), "month", "not_a_month"),
    (row(month=...), "month", "field_missing"),
    (row(month=202310), "month", "not_a_month"),
    (row(indicator="NO.SUCH"), "indicator", "unknown_indicator"),
    (row(indicator="NO\0"), "indicator", "unknown_indicator"),
    (row(unit="NO\0"), "unit", "unknown_unit"),
    (row(unit="PN-NOWHERE"), "unit", "unknown_unit"),
    (row(unit="EST-EC"), "unit", "unknown_unit"),  # of another institution, which the account does not see
    (row(unit="PN-01D01"), "unit", "not_assigned"),
    (row(month="2099-01"), "month", "future_month"),
    (row(month="2001-01"), "month", "no_sheet"),
    (row(numerator="7"), "numerator", "type_wrong"),
    (row(numerator=...), "numerator", "nothing_said"),
    (row(numerator=..., state="figure"), "numerator", "figure_missing"),
    (row(state="blank"), "state", "figure_and_state"),
    (row(state="gone"), "state", "value_unknown"),
    (row(more=1), "more", "field_unknown"),
    (row(if_recorded_at="2023-10-01T00:00:00"), "if_recorded_at", "time_without_offset"),
    (row(if_recorded_at="yesterday"), "if_recorded_at", "time_unreadable"),
    (row(indicator="PN.HOMICIDES", numerator=-1), "numerator", "negative_count"),
    (row(indicator="PN.SOLVED", numerator=1), "denominator", "denominator_missing"),
    (7, "", "row_unreadable"),
]


def test_each_bad_row_is_refused_by_its_rule_and_the_good_ones_are_kept(police):
    answer = send(police, [row(), *(bad for bad, *_ in BAD), row(UNITS[1], 8)])
    assert results(answer) == ["updated", *["refused"] * len(BAD), "updated"]
    found = [(item["errors"][0]["field"], item["errors"][0]["rule"]) for item in answer.json()["items"][1:-1]]
    assert found == [(field, rule) for _, field, rule in BAD]
    assert {item["status"] for item in answer.json()["items"][1:-1]} == {422}
    assert figures()[UNITS[1]] == 8


def test_every_bad_cell_of_a_table_is_told_and_the_good_rows_are_kept(police):
    header = "month,indicator,unit,numerator,denominator,state,if_recorded_at\n"
    lines = [
        f"{AT},PN.PATROLS,{UNITS[0]},1.234,,,",
        f'{AT},PN.PATROLS,{UNITS[1]},"1,234",,,',
        f"{AT},PN.PATROLS,{UNITS[1]},nan,,,",
        f"{AT},,{UNITS[1]},1,,,",
        f"{AT},PN.PATROLS,{UNITS[1]},,,gone,",
        f"{AT},PN.PATROLS,{UNITS[1]},1,,,soon",
        f"{AT},PN.PATROLS",
        f"{AT},PN.PATROLS,{UNITS[2]},,,not_applicable,",
    ]
    answer = send(police, header + "\n".join(lines) + "\n", kind="text/csv")
    assert rules_of(answer) == {
        1: "not_a_number", 2: "not_a_number", 3: "field_missing", 4: "value_unknown", 5: "time_unreadable",
        6: "row_length",
    }  # fmt: skip
    assert figures() == {UNITS[0]: 1.234, UNITS[1]: figures()[UNITS[1]], UNITS[2]: None}


def test_the_second_row_of_a_figure_is_repeated(police):
    answer = send(police, [row(), row(numerator=9), row("PN-NOWHERE"), row("PN-NOWHERE")])
    assert rules_of(answer) == {1: "repeated", 2: "unknown_unit", 3: "unknown_unit"}
    assert figures()[UNITS[0]] == 507


def test_bad_columns_are_told_by_row(police):
    columns = {"month": [AT, AT], "indicator": ["PN.PATROLS"] * 2, "unit": [*UNITS[:2]], "numerator": [5, "six"]}
    answer = send(police, {"columns": columns})
    assert (results(answer), rules_of(answer)) == (["updated", "refused"], {1: "type_wrong"})


# What the sender saw --------------------------------------------------------------------------------------------------


def seen(police, unit=UNITS[0]):
    (found,) = police.get(URL, {"month": AT, "indicator": "PN.PATROLS", "unit": unit}).json()["results"]
    return found


def test_a_figure_that_changed_since_it_was_read_is_a_conflict_and_is_shown(police):
    at = seen(police)["recorded_at"]
    assert results(send(police, [row(numerator=70, if_recorded_at=at)])) == ["updated"]
    answer = send(police, [row(numerator=71, if_recorded_at=at), row(UNITS[1], 8)])
    assert results(answer) == ["conflict", "updated"]
    conflict = answer.json()["items"][0]
    assert (conflict["status"], conflict["errors"][0]["rule"]) == (409, "changed_since")
    assert conflict["held"]["numerator"] == 70
    assert figures()[UNITS[0]] == 70
    again = conflict["held"]["recorded_at"]
    assert results(send(police, [row(numerator=71, if_recorded_at=again)])) == ["updated"]


def test_a_retry_that_says_what_is_held_is_no_conflict(police):
    at = seen(police)["recorded_at"]
    body = [row(numerator=70, if_recorded_at=at)]
    assert [results(send(police, body)) for _ in range(2)] == [["updated"], ["unchanged"]]


def test_a_sender_who_saw_no_figure_does_not_replace_one(police):
    assert results(send(police, [row(if_recorded_at=None)])) == ["conflict"]
    send(police, [row(numerator=..., state="blank")])
    answer = send(police, [row(if_recorded_at="2023-10-01T00:00:00Z"), row(UNITS[1], 5, if_recorded_at=None)])
    assert results(answer) == ["conflict", "conflict"]
    assert answer.json()["items"][0]["held"] is None
    assert results(send(police, f"month,indicator,unit,numerator,if_recorded_at\n{AT},PN.PATROLS,{UNITS[0]},507,none\n",
                        kind="text/csv")) == ["created"]  # fmt: skip


# Again, on trial, and too much ----------------------------------------------------------------------------------------


def test_the_same_key_gets_the_first_answer_and_changes_nothing(police):
    first = send(police, [row()], **{"Idempotency-Key": "a-1"})
    assert results(send(police, [row(numerator=9)])) == ["updated"]
    again = send(police, [row()], **{"Idempotency-Key": "a-1"})
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert figures()[UNITS[0]] == 9
    other = send(police, [row(numerator=1)], **{"Idempotency-Key": "a-1"})
    assert (other.status_code, other.json()["rule"]) == (422, "idempotency_key_reused")


def test_a_dry_run_says_what_would_come_of_it_and_writes_nothing(police):
    before, batches = figures(), Batch.objects.count()
    answer = send(police, [row(), row("PN-NOWHERE")], "?dry_run=1", **{"Idempotency-Key": "b-1"})
    assert results(answer) == ["updated", "refused"]
    assert answer.json()["dry_run"] is True
    assert (figures(), Batch.objects.count(), StaleMark.objects.count()) == (before, batches, 0)


def test_a_dry_run_keeps_no_key_and_the_request_itself_follows_under_it(police):
    for _ in range(2):
        assert results(send(police, [row()], "?dry_run=1", **{"Idempotency-Key": "b-1"})) == ["updated"]
    assert results(send(police, [row()], **{"Idempotency-Key": "b-1"})) == ["updated"]
    assert figures()[UNITS[0]] == 507


@pytest.mark.parametrize(
    ("body", "kind", "status", "rule"),
    [
        ("", "application/json", 400, "body_empty"),
        ("[]", "application/json", 400, "body_empty"),
        ('[{"month":', "application/json", 400, "body_malformed"),
        ('{"items": 7}', "application/json", 400, "body_shape"),
        ('{"columns": {"month": ["2023-10"], "indicator": [], "unit": []}}', "application/json", 400, "columns_differ"),
        (b"\xff\xfe", "text/csv", 400, "body_encoding"),
        ("month,unit\n", "text/csv", 400, "header_unreadable"),
        ("month,indicator,unit,numero\n", "text/csv", 400, "header_unreadable"),
        ("<a/>", "application/xml", 415, "kind_unknown"),
        ("[" * 5_000, "application/json", 400, "body_deep"),
        ("[" + "[" * 5_000 + "]" * 5_001, "application/json", 400, "body_deep"),
        ('{"a": ' * 5_000 + "1" + "}" * 5_000, "application/x-ndjson", 400, "body_deep"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(body, kind, status, rule, police):
    response = send(police, body, kind=kind)
    assert (response.status_code, response.json()["rule"]) == (status, rule)
    assert response["Content-Type"] == "application/problem+json"


def test_lines_that_break_off_keep_those_before(police):
    body = json.dumps(row()) + "\n" + json.dumps(row(UNITS[1]))[:30]
    answer = send(police, body, kind="application/x-ndjson")
    assert (results(answer), answer.json()["cut"]["item"]) == (["updated"], 1)


def test_a_row_whose_quotation_marks_are_wrong_is_refused_by_itself(police):
    lines = [f'{AT},PN.PATROLS,{unit},"{figure}"' for unit, figure in zip(UNITS, ("507", '5"0', "7"), strict=False)]
    table = "month,indicator,unit,numerator\n" + "\n".join(lines) + "\n"
    answer = send(police, table, kind="text/csv")
    assert results(answer) == ["updated", "refused", "updated"]
    assert rules_of(answer) == {1: "row_unreadable"}


def test_of_a_row_with_many_faults_the_first_are_told(police):
    answer = send(police, row(**{f"v{n}": 1 for n in range(1_000)}))
    assert len(answer.json()["items"][0]["errors"]) == 50


def test_a_line_is_a_row(police):
    one, two = json.dumps(row()), json.dumps(row(UNITS[1]))
    answer = send(police, f"{one}\n\n{two} {two}\n", kind="application/x-ndjson")
    assert results(answer) == ["updated", "refused"]
    assert rules_of(answer) == {1: "json_malformed"}


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"items": [', "]}")])
def test_a_list_that_breaks_off_keeps_the_whole_rows(before, after, police):
    body = before + json.dumps(row()) + ", " + json.dumps(row(UNITS[1])) + after
    answer = send(police, body[:-6])
    assert (results(answer), answer.json()["cut"]["item"]) == (["updated"], 1)


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson", "application/json"])
def test_of_a_body_shorter_than_announced_the_last_line_is_not_taken(kind, police):
    before, rows = figures(), [row(), row(UNITS[1], 30)]
    body = {
        "text/csv": "month,indicator,unit,numerator\n" + "\n".join(",".join(map(str, r.values())) for r in rows)[:-3],
        "application/x-ndjson": "\n".join(map(json.dumps, rows)),
        "application/json": json.dumps(rows)[:-2],
    }[kind].encode()
    short = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 1)}
    answer = police.post(URL, body, content_type=kind, headers={"Idempotency-Key": "s-1"}, **short)
    assert (results(answer), answer.json()["cut"]["item"]) == (["updated"], 1)
    assert figures() == before | {UNITS[0]: 507}
    assert not IdempotencyKey.objects.exists(), "the whole body may follow under the same key"


def test_a_body_that_is_too_large_is_not_taken(police, settings, monkeypatch):
    monkeypatch.setattr("indicators.api.send.MOST", 1)
    response = send(police, [row(), row(UNITS[1])])
    assert (response.status_code, response.json()["rule"]) == (413, "too_many_rows")
    settings.API_MAX_BODY = 20
    response = send(police, [row()])
    assert (response.status_code, response.json()["rule"]) == (413, "body_too_large")


# Who -----------------------------------------------------------------------------------------------------------------


def test_an_account_writes_where_it_may_enter_and_nowhere_else(country, api):
    district = api(Role.INTEGRATOR, country.unit("PN-01D01"), username="feed.d")
    assert rules_of(send(district, [row(), row(UNITS[2])])) == {1: "unknown_unit"}
    actions.grant_role(by=None, user=district.account, role=Role.VIEWER, unit=country.unit("PN-EC"))
    assert rules_of(send(district, [row(), row(UNITS[2])])) == {1: "not_allowed"}


def test_an_account_that_sees_other_institutions_writes_in_its_own_alone(country, api):
    state = api(Role.INTEGRATOR, country.unit("EST-EC"), username="feed.st")
    assert rules_of(send(state, [row()])) == {0: "not_allowed"}


def test_who_only_reads_writes_nothing(country, api):
    response = send(api(Role.REPORTER, country.unit("PN-EC"), username="reads"), [row()])
    assert (response.status_code, response.json()["rule"]) == (403, "no_integrator")


def test_the_answer_says_how_much_of_the_limit_is_left(police):
    assert int(send(police, [row()])["RateLimit-Remaining"]) < int(send(police, [row()])["RateLimit-Limit"])


# How much it costs ----------------------------------------------------------------------------------------------------


def test_many_rows_ask_as_many_questions_as_few(police, country, count_queries):
    counts = []
    for units in (UNITS[:1], UNITS):
        with count_queries() as queries:
            send(police, [row(unit, 11 + n + len(units)) for n, unit in enumerate(units)])
        counts.append(len([sql for sql in queries if "servicetoken" not in sql]))
    assert counts[0] == counts[1] <= 24


def test_every_rule_of_the_list_has_words():
    assert all(str(words) for words in (rules.REFUSED | rules.CONFLICT | rules.BODY).values())
    assert not np.isin(["range_crossed", "target_not_finite"], list(rules.REFUSED)).any()
