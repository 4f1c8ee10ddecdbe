"""Whoever listens is told which cards changed, when the transaction that wrote them is committed."""

import json

import numpy as np
from django.db import connection

CHANNEL = "tablero_cards"
A_MESSAGE = 700  # units, of up to ten digits: PostgreSQL takes messages of less than 8,000 bytes
MOST = 5_000  # units: where more change, whoever listens looks for themselves


def announce(months, unit_ids):
    """Tell of changed cards. months: datetime64 (R,), unit_ids (R,).

    Messages are {"m": "2026-11", "u": [unit ids]}, or {"m": null} where too many changed to be named.
    """
    if not len(months):
        return
    if len(months) > MOST:
        told = [{"m": None}]
    else:
        told = [
            {"m": str(month), "u": units[start : start + A_MESSAGE].tolist()}
            for month in np.unique(months.astype("datetime64[M]"))
            for units in [unit_ids[months.astype("datetime64[M]") == month]]
            for start in range(0, len(units), A_MESSAGE)
        ]
    with connection.cursor() as cursor:
        for message in told:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(message, separators=(",", ":"))])
