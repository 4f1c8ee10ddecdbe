"""Large bodies, decoded as their institution was seen to write, say what they would say decoded as any other."""

import math
import sys
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.feed import book as books
from incidents.feed import decode
from incidents.feed.book import Slot, Slots
from incidents.feed.coded import alone, together
from incidents.feed.learnt import STEP, Learnt, _values, as_dict
from incidents.feed.write import held
from tests.incidents.feed.conftest import item

VALUES = [
    {"sex": "HOMBRE", "age": 30, "occupation": "COMERCIANTE"},
    {"sex": "MUJER", "age": 41.5, "nationality": "ECUADOR"},
    {"sex": None, "age": "17", "relation": ""},
]
MANY = 1_200


def lines(items):
    return b"\n".join(msgspec.json.encode(one) for one in items)


def events(prefix, count=MANY):
    return [
        item(
            f"{prefix}{n}",
            variables={"environment.weapon": ("ARMA DE FUEGO", "ARMA BLANCA")[n % 2], "area": "URBANO"},
            victims=[VALUES[n % 3], VALUES[(n + 1) % 3]][: 1 + n % 2],
            victimizers=[{"age": 20 + n % 30}] if n % 5 else None,
        )
        for n in range(count)
    ]


@pytest.fixture
def book(country, settings):
    """The book that the process keeps for as long as the test."""
    settings.BOOK_SECONDS = 3_600
    return books.current(max_age=0)


def decoded(body, learnt, kind=decode.NDJSON):
    return decode.decode(body, kind, learnt=learnt).items


def is_learnt(one):
    return isinstance(one.victims[0], msgspec.Struct)


@pytest.mark.parametrize("kind", [decode.NDJSON, decode.JSON])
def test_the_second_large_body_is_decoded_as_the_first_was_written_and_means_the_same(send, country, book, kind):
    def body(items):
        return lines(items) if kind == decode.NDJSON else msgspec.json.encode(items)

    learnt = book.learnt(country.police.pk)
    assert len(body(events("A"))) > decode.LARGE
    assert send(body=body(events("A")), kind=kind).counts["created"] == MANY
    assert all(map(is_learnt, decoded(body(events("A")), learnt, kind)))
    again = send(body=body(events("A")), kind=kind)
    assert again.counts["unchanged"] == MANY, again.rules
    assert send(body=body(events("B")), kind=kind).counts["created"] == MANY
    digests = [_digests(country, [f"{prefix}{n}" for n in range(MANY)]) for prefix in "AB"]
    assert digests[0] == digests[1]


def _digests(country, external_ids):
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        keys = held(cursor, country.police.pk, external_ids)
    return [keys[external_id].digest for external_id in external_ids]


def test_what_is_wrong_or_new_in_a_learnt_body_costs_only_its_own_items(send, book):
    send(body=lines(events("A")), kind=decode.NDJSON)
    odd = events("B")
    odd[3]["victims"] = [{"sex": "hombre"}]  # other letters of the same value
    odd[5]["victims"] = [{"sex": "NINGUNO"}]
    odd[6]["variables"] = {"colour": "red"}
    odd[7]["victims"] = [{"age": 2e9}]
    odd[8]["victims"] = [{"age": "old"}]
    odd[9]["occurred_on"] = "2024-02-30"
    odd[10]["victims"] = [{"schooling": "SUPERIOR"}]  # a variable that was not said before
    body = lines(odd).split(b"\n")
    body[11] = b'{"external_id": '
    outcome = send(body=b"\n".join(body), kind=decode.NDJSON)
    wrong = {n: [(fault.field, fault.rule) for fault in faults] for n, faults in outcome.faults.items()}
    assert wrong == {
        5: [("victims.1.sex", "unknown_code")],
        6: [("variables.colour", "unknown_variable")],
        7: [("victims.1.age", "number_range")],
        8: [("victims.1.age", "type_wrong")],
        9: [("occurred_on", "date_impossible")],
        11: [("", "json_malformed")],
    }
    assert outcome.counts["created"] == MANY - 6
    assert send(body=lines(events("B")), kind=decode.NDJSON).counts["updated"] == 2  # items 3 and 10 say less again


@pytest.mark.parametrize("kind", [decode.NDJSON, decode.JSON])
def test_what_is_wrong_is_told_of_a_learnt_body_as_of_each_item_by_itself(send, book, kind):
    def body(items):
        return lines(items) if kind == decode.NDJSON else msgspec.json.encode(items)

    send(body=body(events("A")), kind=kind)
    odd = events("B")
    odd[3]["victims"] = [{"sex": "HOMBRE"}] * 201
    odd[5]["victims"] = [{"age": 2e9, "sex": 77}]
    odd[6]["victimizers"] = [{"earlier_arrests": "nan", "age": "old"}]
    alone = [send(body=body([odd[n]]), kind=kind, dry_run=True).faults[0] for n in (3, 5, 6)]
    outcome = send(body=body(odd), kind=kind)
    assert [outcome.faults[n] for n in (3, 5, 6)] == alone


def test_other_threads_remember_values_while_decoders_are_made(country, book):
    slot = book.people["victim"]["sex"]
    is_over = threading.Event()

    def remember():
        while not is_over.is_set():
            slot.known.clear()
            for n in range(1_000):
                slot.remember(f"spelling {n}", 1)

    interval, other = sys.getswitchinterval(), threading.Thread(target=remember)
    sys.setswitchinterval(1e-6)
    other.start()
    try:
        for _ in range(300):
            _values(slot)
    finally:
        is_over.set()
        other.join()
        sys.setswitchinterval(interval)


def test_a_body_that_breaks_off_is_cut_where_it_breaks_though_it_was_learnt(send, country, book):
    send(body=lines(events("A")), kind=decode.NDJSON)
    body = lines(events("B"))
    outcome = send(body=body[:-20], kind=decode.NDJSON)
    assert outcome.counts["created"] == MANY - 1
    assert outcome.cut == MANY - 1


def test_new_letters_and_new_variables_are_learnt_for_later_bodies(send, country, book):
    def changed(prefix):
        return lines([{**one, "victims": [{"sex": "Hombre", "schooling": "SUPERIOR"}]} for one in events(prefix)])

    learnt = book.learnt(country.police.pk)
    send(body=lines(events("A")), kind=decode.NDJSON)
    assert not any(map(is_learnt, decoded(changed("B"), learnt)))
    for prefix in "BCD":
        assert send(body=changed(prefix), kind=decode.NDJSON).counts["created"] == MANY
    assert all(map(is_learnt, decoded(changed("D"), learnt)))


def test_what_never_repeats_itself_is_followed_ever_more_slowly(country, book, monkeypatch):
    learnt, slot, made = book.learnt(country.police.pk), book.people["victim"]["sex"], []
    monkeypatch.setattr("incidents.feed.learnt._item", lambda kinds: made.append(1) or decode.Item)
    for n in range(60):
        slot.remember(f"spelling {n}", 1)
        learnt.learn(decoded(lines([item()]), None) * STEP)
        learnt.catch_up()
    assert len(made) == 11  # 1 + 1 + 2 + ... + 10 steps = 56


def test_a_retired_value_is_flagged_in_a_learnt_body_too(send, country, settings):
    from incidents.models import VariableCode

    send(body=lines(events("A")), kind=decode.NDJSON)
    VariableCode.objects.filter(variable__factor="victim", variable__key="sex", label="MUJER").update(is_retired=True)
    settings.BOOK_SECONDS = 0
    for prefix in "BC":
        outcome = send(body=lines(events(prefix)), kind=decode.NDJSON)
        assert outcome.counts["created"] == MANY
        said = [[person["sex"] for person in one["victims"] if "sex" in person] for one in events(prefix)]
        assert {n for n, flags in outcome.flags.items() if "retired" in flags} == {
            n for n, sexes in enumerate(said) if "MUJER" in sexes
        }


# What columns say, beside each by itself.
def slots():
    made = Slots()
    made["a"] = made["also.a"] = Slot(False, 0, labels={"one": 1, "two": 2}, codes={1, 2})
    made["b"] = Slot(False, 3, labels={"one": 7, "gone": 9}, codes={7, 9}, retired={9})
    made["old"] = Slot(False, 1, is_retired=True, labels={"one": 1}, codes={1})
    made["n"], made["m"] = Slot(True, 2), Slot(True, 0)
    made.complete()
    return made


values = st.one_of(
    st.none(), st.just(""), st.sampled_from(["one", "two", "gone", "ONE", "1", "12", "x"]), st.just(1.0), st.just(2e9),
    st.floats(-100, 100), st.just(math.nan),
)  # fmt: skip
dicts = st.lists(st.dictionaries(st.sampled_from(["a", "also.a", "b", "old", "n", "m", "c"]), values), max_size=6)


@given(dicts)
def test_many_at_once_say_what_each_says_by_itself(said):
    known = slots()
    for one in said:  # what was looked up before is remembered
        alone(one, known, "", [], [])
    many = said * 10
    for one, pair in zip(many, together(many, known), strict=True):
        _same(one, pair, known)


def _same(one, pair, known):
    faults, flags = [], []
    codes, numbers = alone(one, known, "", faults, flags)
    if faults or flags:
        assert pair is None
    elif pair is not None:
        assert pair[0] == codes
        assert [str(number) for number in pair[1]] == [str(number) for number in numbers]


@given(dicts)
def test_what_was_learnt_is_decoded_as_it_was_said(said):
    known = slots()
    learnt = Learnt({"variables": known, "victims": known, "victimizers": known})
    said = [{key: value for key, value in one.items() if value is None or value == value} for one in said]
    body = lines([{"external_id": "A", "category": "X", "victims": said, "variables": one} for one in said])
    if not body:
        return
    learnt.learn(decode.decode(body, decode.NDJSON).items)
    for one in said:
        alone(one, known, "", [], [])
    learnt.catch_up()
    found = learnt.lines(body)
    for one in found or ():
        for person, as_said in zip(one.victims, said, strict=True):
            assert as_dict(person) == {key: value for key, value in as_said.items() if value is not None}
        for pair, as_said in zip(together([*one.victims] * 10, known), said * 10, strict=False):
            _same(as_said, pair, known)
