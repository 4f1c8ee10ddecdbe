"""Whatever dies, every event that was acknowledged is there exactly once, and the lights are those of a recount."""

import threading

import pytest
import redis

pytestmark = pytest.mark.xdist_group("serial")

THERE = "SELECT external_id FROM incidents_incidentkey WHERE external_id = ANY(%s)"
# Counted from the events themselves, by the circuit that each lies in, beside what the figures say.
DIFFERING = """
WITH counted AS (
    SELECT date_trunc('month', i.occurred_on)::date AS month, i.territory_id, count(*)::float8 AS n
    FROM incidents_incident i JOIN incidents_category c ON c.id = i.category_id
    WHERE c.code LIKE 'HOMICIDE%%' GROUP BY 1, 2
), said AS (
    SELECT m.month, u.territory_id, m.numerator AS n
    FROM indicators_measurement m JOIN units_unit u ON u.id = m.unit_id
    WHERE m.indicator_id = %s AND m.source = 'events'
)
SELECT * FROM counted FULL JOIN said USING (month, territory_id)
WHERE coalesce(counted.n, 0) IS DISTINCT FROM said.n
"""
DOUBLED = "SELECT id FROM incidents_incident GROUP BY id HAVING count(*) > 1"


@pytest.fixture
def settled(whole, wait_until):
    """`settled(identifiers)`: waits until nothing is stale, then proves that all is there once and counted right."""

    def check(identifiers):
        wait_until(whole.is_settled, seconds=90, why="marks are left that nobody drains")
        assert len(identifiers) == len(set(identifiers))
        assert {row[0] for row in whole.sql(THERE, identifiers)} == set(identifiers)
        assert whole.sql(DOUBLED) == []
        keys, incidents = whole.sql(
            "SELECT (SELECT count(*) FROM incidents_incidentkey), (SELECT count(*) FROM incidents_incident)"
        )[0]
        assert keys == incidents
        assert whole.sql(DIFFERING, whole.country["indicator"]) == []
        whole.run("manage.py", "audit_scores", "--all")

    return check


WAITING = """SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE application_name = 'worker' AND wait_event_type = 'Lock' AND %s = ANY(pg_blocking_pids(pid)))"""
CONNECTED = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'worker')"
HELD = {
    "figures": "indicators_measurement WHERE month = %(month)s",
    "cards": "scorecard_card WHERE institution_id = %(police)s AND month >= %(month)s",
}


@pytest.mark.parametrize("writing", HELD)
def test_a_worker_killed_in_mid_drain_leaves_its_marks_to_the_next(whole, settled, wait_until, writing):
    """The drain waits for a row that we hold, with the marks taken, and before its commit."""
    with whole.connect() as db, db.transaction():
        db.execute(f"SELECT FROM {HELD[writing]} FOR UPDATE", whole.country)
        identifiers = [name for _ in range(3) for name in whole.post_until_taken(whole.events(10))]
        wait_until(lambda: whole.sql(WAITING, db.info.backend_pid)[0][0], why="no drain waits for what is held")
        whole.kill("worker")
        assert not whole.is_settled(), "what is not committed must still be marked"
        assert whole.sql(CONNECTED)[0][0], "the drain's transaction was still open when its worker died"
    wait_until(lambda: not whole.sql(CONNECTED)[0][0], why="the dead worker's transaction does not end")
    assert not whole.is_settled(), "the dead worker's transaction was carried through without it"
    whole.start("worker")
    settled(identifiers)


def test_a_worker_killed_again_and_again_under_load_loses_nothing(whole, settled):
    def kill():
        whole.kill("worker")
        whole.start("worker")

    settled(whole.load(80, kill, at=(15, 40, 65)))


def test_a_database_that_crashes_under_load_loses_nothing_that_was_acknowledged(whole, settled):
    settled(whole.load(80, whole.crash_database, at=(20, 50)))


def test_a_broker_that_forgets_everything_delays_the_lights_but_loses_nothing(whole, settled):
    def forget():
        with redis.Redis.from_url(whole.environment["BROKER_URL"]) as broker:
            broker.flushall()

    settled(whole.load(60, forget, at=(10, 30, 59)))


def test_the_same_body_from_eight_clients_at_once_is_taken_once(whole, settled):
    body, answers = whole.events(30), []

    def send():
        answers.append(whole.post(body))

    clients = [threading.Thread(target=send) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [status for status, _ in answers] == [200] * 8
    assert sum(answer["created"] for _, answer in answers) == 30
    assert sum(answer["unchanged"] for _, answer in answers) == 7 * 30
    settled([item["external_id"] for item in body])


def test_a_retry_after_a_lost_answer_gives_the_same_answer_and_changes_nothing(whole, settled):
    body = whole.events(3)
    first = whole.post(body, **{"Idempotency-Key": "a-key-of-ours"})
    again = whole.post(body, **{"Idempotency-Key": "a-key-of-ours"})
    assert first == again
    assert first[1]["created"] == 3
    settled([item["external_id"] for item in body])
