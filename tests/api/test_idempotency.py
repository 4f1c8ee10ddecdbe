"""The same request sent again: one effect, one answer."""

import hashlib
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from tests.factories import NOW
from units.api import idempotency
from units.api.errors import Problem
from units.models import IdempotencyKey, Institution, User
from units.tasks import forget_answers

DIGEST = hashlib.sha256(b"body").digest()


@pytest.fixture
def account(db):
    return User.objects.create(username="feed", password="!")


def ask(account, key="k", digest=DIGEST):
    return idempotency.replay(account=account, key=key, digest=digest, now=NOW)


@pytest.mark.django_db
def test_the_answer_is_given_again(account):
    assert ask(account) is None
    idempotency.store(account=account, key="k", status=200, body=b'{"created": 1}')
    again = ask(account)
    assert (again.status_code, again.content) == (200, b'{"created": 1}')
    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
def test_a_key_with_another_body_is_refused(account):
    ask(account)
    with pytest.raises(Problem) as error:
        ask(account, digest=hashlib.sha256(b"other").digest())
    assert (error.value.status, error.value.rule) == (422, "idempotency_key_reused")


@pytest.mark.django_db
def test_a_key_belongs_to_its_account(account):
    ask(account)
    assert ask(User.objects.create(username="other", password="!")) is None


@pytest.mark.django_db
def test_without_a_key_nothing_is_kept(account):
    assert ask(account, key=None) is None
    idempotency.store(account=account, key=None, status=200, body=b"{}")
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(rf, key):
    with pytest.raises(Problem):
        idempotency.key_of(rf.post("/", headers={"Idempotency-Key": key}))


@pytest.mark.django_db
def test_old_answers_are_forgotten(account):
    from django.utils import timezone

    ask(account, "old")
    idempotency.replay(account=account, key="new", digest=DIGEST, now=timezone.now() - timedelta(hours=1))
    forget_answers()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_does_the_work_and_all_get_its_answer():
    account = User.objects.create(username="feed", password="!")
    start, answers = threading.Barrier(8), []

    def send():
        try:
            start.wait()
            with transaction.atomic():
                answer = ask(account)
                if answer is None:
                    made = Institution.objects.create(code="ONCE", name="Once", short_name="Once")
                    idempotency.store(account=account, key="k", status=200, body=str(made.pk).encode())
                    answers.append(("done", str(made.pk).encode()))
                else:
                    answers.append(("again", answer.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kind for kind, _ in answers) == ["again"] * 7 + ["done"]
    assert len({body for _, body in answers}) == 1


@pytest.mark.django_db(transaction=True)
def test_where_the_first_failed_the_second_does_the_work():
    account = User.objects.create(username="feed", password="!")

    def fail():
        with transaction.atomic():
            ask(account)
            raise OSError("the power went")

    with pytest.raises(OSError, match="power"):
        fail()
    with transaction.atomic():
        assert ask(account) is None
