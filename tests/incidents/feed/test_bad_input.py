"""What is wrong with an item is refused or flagged by its rule's name, and the good items of the same body are kept."""

import json

import pytest

from incidents.feed import BodyError, decode
from incidents.models import Incident, PlacePrecision, Variable, VariableCode, Victim
from tests.incidents.feed.conftest import item

pytestmark = pytest.mark.django_db

MIB = "x" * 2**20
REFUSED = [
    ({"category": "NO.SUCH"}, "category", "unknown_category"),
    ({"category": None}, "category", "field_missing"),
    ({"occurred_on": "2024-12-03"}, "occurred_on", "date_future"),
    ({"occurred_on": "2024-02-30"}, "occurred_on", "date_impossible"),
    ({"occurred_on": "1950-01-01"}, "occurred_on", "date_early"),
    ({"occurred_on": None}, "occurred_on", "date_missing"),
    ({"occurred": "2024-11-20T10:00:00-05:00"}, "occurred", "date_twice"),
    ({"occurred_at": "25:00"}, "occurred_at", "time_unreadable"),
    ({"received_at": "2024-11-20T10:00:00"}, "received_at", "time_without_offset"),
    (
        {"received_at": "2024-11-20T15:00:00Z", "arrived_at": "2024-11-20T14:59:00Z"},
        "arrived_at",
        "time_order",
    ),
    ({"closed_at": "2024-12-02T16:00:00Z"}, "closed_at", "date_future"),
    ({"longitude": "79°53'W", "latitude": -2.1}, "longitude", "point_unreadable"),
    ({"longitude": -7953.5, "latitude": -2.1}, "longitude", "point_unreadable"),
    ({"longitude": -79.5}, "latitude", "point_half"),
    ({"place": "99Z99"}, "place", "place_unknown"),
    ({"channel": "pigeon"}, "channel", "value_unknown"),
    ({"variables": {"weapons": "KNIFE"}}, "variables.weapons", "unknown_variable"),
    ({"victims": [{"sex": "OTRO MUNDO"}]}, "victims.1.sex", "unknown_code"),
    ({"victims": [{"age": "thirty"}]}, "victims.1.age", "type_wrong"),
    ({"victims": [{"age": 1e12}]}, "victims.1.age", "number_range"),
    ({"victims": [{"sex": MIB}]}, "victims.1.sex", "text_too_long"),
    ({"reason": MIB}, "reason", "text_too_long"),
    ({"victims": [{}] * 201}, "victims", "too_many"),
    ({"name": "Someone"}, "name", "field_unknown"),
    ({"version": -1}, "version", "number_range"),
    ({"external_id": "A\tB"}, "external_id", "text_unreadable"),
    ({"external_id": "A\0B", "action": "retract", "reason": "lost"}, "external_id", "text_unreadable"),
    ({"reason": "a\0b"}, "reason", "text_unreadable"),
    ({"action": "retract", "reason": "a\0b"}, "reason", "text_unreadable"),
    ({"place": "000\0"}, "place", "place_unknown"),
    ({"occurred_on": None, "occurred_at": None, "occurred": "0001-01-01T00:00:00+14:00"}, "occurred", "date_early"),
    ({"occurred_on": None, "occurred_at": None, "occurred": "9999-12-31T23:59:59-14:00"}, "occurred", "date_future"),
    ({"reported_at": "0001-01-01T00:00:00+14:00"}, "reported_at", "date_early"),
    ({"external_id": MIB}, "external_id", "text_too_long"),
    ({"action": "retract"}, "reason", "reason_missing"),
    ({"source": "MDI"}, "source", "other_institution"),
]


@pytest.mark.parametrize(("said", "field", "rule"), REFUSED, ids=[f"{rule}-{field}" for _, field, rule in REFUSED])
def test_bad_item_is_refused_by_its_rule_and_the_good_one_is_kept(send, said, field, rule):
    body = json.dumps([item("GOOD"), item(**said)]).encode()
    outcome = send(body=body)
    assert outcome.results == ["created", "refused"]
    assert [(fault.field, fault.rule) for fault in outcome.faults[1]] == [(field, rule)]
    assert Incident.objects.count() == 1
    assert len(json.dumps(outcome.body())) < 2000, "what is wrong is not sent back whole"


FLAGGED = [
    ({"longitude": 0, "latitude": 0}, "point_zero", PlacePrecision.SUBCIRCUIT),
    ({"longitude": 10.5, "latitude": 50}, "point_outside", PlacePrecision.SUBCIRCUIT),
    ({"longitude": -90.1, "latitude": -0.5}, "point_nowhere", PlacePrecision.POINT),
    ({"place": None}, "place_missing", PlacePrecision.MISSING),
    ({"place": "09D01C09S09"}, "place_to_district", PlacePrecision.COARSER),
    ({"place": "000C01S01"}, "not_delimited", PlacePrecision.NOT_DELIMITED),
]


@pytest.mark.parametrize(("said", "flag", "precision"), FLAGGED, ids=[flag for _, flag, _ in FLAGGED])
def test_doubtful_place_is_taken_and_flagged(send, said, flag, precision):
    outcome = send(item(**said))
    assert (outcome.results, outcome.flags) == (["created"], {0: [flag]})
    assert Incident.objects.get().place_precision == precision


def test_a_number_that_is_retired_is_taken_and_flagged(send, settings):
    settings.BOOK_SECONDS = 0
    age = Variable.objects.get(factor="victim", key="age")
    age.is_retired = True
    age.save()
    outcome = send(item("A"), item("B", victims=[{"sex": "HOMBRE"}]))
    assert (outcome.results, outcome.flags) == (["created", "created"], {0: ["retired"]})
    assert Victim.objects.order_by("incident_id").first().numbers[age.position] == 30


@pytest.mark.parametrize("is_variable", [True, False])
def test_what_is_retired_is_taken_and_flagged(send, is_variable, settings):
    settings.BOOK_SECONDS = 0
    sex = Variable.objects.get(factor="victim", key="sex")
    assert send(item("BEFORE")).flags == {}
    what = sex if is_variable else VariableCode.objects.get(variable=sex, label="HOMBRE")
    what.is_retired = True
    what.save()
    people = [{"sex": "HOMBRE"}, {"sex": "HOMBRE"}, {"sex": "MUJER"}]
    outcome = send(item("A", victims=people), item("B", victims=[{"sex": "MUJER"}]))
    assert outcome.results == ["created", "created"]
    assert outcome.flags == ({0: ["retired"], 1: ["retired"]} if is_variable else {0: ["retired"]})
    said = [victim.codes[sex.position] for victim in Victim.objects.order_by("incident_id", "ordinal")]
    assert said[0] == said[1] == said[2] != said[3] == said[4] != 0


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "body_empty"),
        (b"[]", "body_empty"),
        (b"{", "body_malformed"),
        (b'[{"ext', "body_malformed"),
        (b'{"external_id": "A", "ext', "body_malformed"),
        (b'[{"external_id": "A"}, ]', "body_malformed"),
        (b'{"external_id": "\xff"}', "body_encoding"),
        (b"[" * 5_000, "body_deep"),
        (b'[{"external_id": "A"}, ' + b"[" * 5_000 + b"]" * 5_001, "body_deep"),
        (b'{"external_id": "A", "victims": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "body_deep"),
    ],
)
def test_body_that_cannot_be_read_is_refused_whole(send, body, rule):
    with pytest.raises(BodyError) as error:
        send(body=body)
    assert error.value.rule == rule


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"incidents": [', "]}")])
def test_list_that_breaks_off_keeps_its_whole_items(send, before, after):
    body = before + ", ".join(json.dumps(item(name, version="no" if name == "B" else None)) for name in "ABCD") + after
    outcome = send(body=body[: body.index('"D"')].encode())
    assert (outcome.results, outcome.cut) == (["created", "refused", "created"], 3)


def test_lines_before_the_break_are_kept(send):
    lines = "\n".join(json.dumps(item(name)) for name in "ABC")
    outcome = send(body=lines[:-20].encode(), kind=decode.NDJSON)
    assert (outcome.results, outcome.cut) == (["created", "created"], 2)
    assert outcome.body()["cut"]["rule"] == "body_cut"


def test_a_malformed_line_is_refused_by_itself(send):
    lines = [json.dumps(item("A")), "{malformed}", json.dumps(item("C")), ""]
    outcome = send(body="\n".join(lines).encode(), kind=decode.NDJSON)
    assert outcome.results == ["created", "refused", "created"]
    assert outcome.faults[1][0].rule == "json_malformed"


@pytest.mark.parametrize("padding", [0, decode.LARGE])
@pytest.mark.parametrize(
    ("body", "results"),
    [
        ("{A}\n\n{B}\r\n \n{C}", ["created"] * 3),
        ("{A}\n{B} {C}\n", ["created", "refused"]),
        ("{A}\n{B}{C}\n\n", ["created", "refused"]),
        ("{A}\n{\n}\n", ["created", "refused", "refused"]),
    ],
)
def test_a_line_is_an_item(send, body, results, padding):
    for name in "ABC":
        body = body.replace(f"{{{name}}}", json.dumps(item(name)))
    outcome = send(body=(body + " " * padding).encode(), kind=decode.NDJSON)
    assert outcome.results == results
    assert {faults[0].rule for faults in outcome.faults.values()} <= {"json_malformed"}


def test_table_that_breaks_off_keeps_its_whole_rows(send):
    header = "external_id,category,occurred_on,place,victim.1.sex,victim.1.age"
    body = f"{header}\nA,HOMICIDE.MURDER,2024-11-20,09D01C01S01,HOMBRE,30\nB,HOMICIDE.MUR"
    outcome = send(body=body.encode(), kind=decode.CSV)
    assert (outcome.results, outcome.cut) == (["created"], 1)


def test_table_that_breaks_off_within_a_letter_keeps_its_whole_rows(send):
    header = "external_id,category,occurred_on,place,victim.1.sex,reason"
    body = f"{header}\nA,HOMICIDE.MURDER,2024-11-20,09D01C01S01,HOMBRE,\nB,HOMICIDE.MURDER,2024-11-20,,,año".encode()
    outcome = send(body=body[:-2], kind=decode.CSV)
    assert (outcome.results, outcome.cut) == (["created"], 1)


def test_of_an_item_with_many_faults_the_first_are_told(send):
    outcome = send(item(variables={f"v{n}": 1 for n in range(1_000)}))
    assert len(outcome.body()["items"][0]["errors"]) == 50


def test_a_row_whose_quotation_marks_are_wrong_is_refused_by_itself(send):
    row = "HOMICIDE.MURDER,2024-11-20,09D01C01S01"
    table = f'external_id,category,occurred_on,place,reason\nA,{row},"so"\nB,{row},"a "big" one"\nC,{row},\n'
    outcome = send(body=table.encode(), kind=decode.CSV)
    assert (outcome.results, outcome.cut) == (["created", "refused", "created"], None)
    assert [(fault.rule, fault.value) for fault in outcome.faults[1]] == [("item_unreadable", 'line 3: "')]


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5_000, "1.2", ""])
def test_a_column_of_a_person_is_numbered(send, number):
    with pytest.raises(BodyError) as error:
        send(body=f"external_id,victim.{number}.sex\nA,HOMBRE\n".encode(), kind=decode.CSV)
    assert error.value.rule == "header_unreadable"


def test_table_says_the_same_as_json(send):
    header = "external_id;category;occurred_on;occurred_at;place;victim.1.sex;victim.1.age"
    send(item())
    outcome = send(
        body=f"{header}\nA-1;HOMICIDE.MURDER;2024-11-20;14:05;09D01C01S01;HOMBRE;30\n".encode(), kind=decode.CSV
    )
    assert outcome.results == ["unchanged"]


@pytest.mark.parametrize(
    ("sources", "results", "stranger"),
    [
        (["PN", "MDI", None], ["created", "refused", "created"], ""),
        (["MDI", "FGE"], ["refused", "refused"], "MDI"),
    ],
)
def test_items_of_another_institution_are_refused_by_themselves(send, sources, results, stranger):
    outcome = send(*(item(f"A-{n}", source=source) for n, source in enumerate(sources)))
    assert (outcome.results, outcome.stranger) == (results, stranger)
    assert Incident.objects.count() == results.count("created")


def test_dry_run_answers_the_same_and_writes_nothing(send):
    outcome = send(item(), item("B", category="NO.SUCH"), dry_run=True)
    assert outcome.results == ["created", "refused"]
    assert not Incident.objects.exists()
