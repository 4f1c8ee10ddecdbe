"""Of senders who saw the same figure and change it at once one is taken, and the others are told what stands."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from indicators.models import Measurement, MeasurementPast
from tests.factories import MONTH, small_country
from units import tokens
from units.permissions import Role

URL = "/api/v1/measurements"


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_saw_the_same_one_is_taken():
    country = small_country(zones=1, districts=1, circuits=1, months=2, cards=False, missing=0)
    account = tokens.add_account(
        by=None, institution=country.institutions["PN"], username="feed", name="Feed", role=Role.INTEGRATOR
    )
    now = timezone.now()
    _token, plain = tokens.issue(by=None, account=account, name="t", expires_at=now + timedelta(days=1), now=now)
    headers = {"Authorization": f"Bearer {plain}"}
    of = {"month": f"{MONTH:%Y-%m}", "indicator": "PN.PATROLS", "unit": "PN-01D01C01"}
    (held,) = Client(headers=headers).get(URL, of).json()["results"]
    start, found = threading.Barrier(8), []

    def send(n):
        try:
            start.wait()
            row = {**of, "numerator": 900 + n, "if_recorded_at": held["recorded_at"]}
            answer = Client(headers=headers).post(URL, json.dumps([row]), content_type="application/json").json()
            found.append((answer["items"][0]["result"], 900 + n, answer["items"][0].get("held")))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result for result, *_ in found) == ["conflict"] * 7 + ["updated"]
    (taken,) = [numerator for result, numerator, _held in found if result == "updated"]
    assert {held["numerator"] for _result, _n, held in found if held} == {taken}
    figure = Measurement.objects.get(month=MONTH, indicator__code="PN.PATROLS", unit__code="PN-01D01C01")
    assert figure.numerator == taken
    assert MeasurementPast.objects.count() == 1
