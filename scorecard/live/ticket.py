"""The ticket of an open page: what it may be told, signed by the view that checked the permission.

Whoever opens a stream of events therefore asks the database nothing about people; the hub asks from time to time, of
all streams at once, whether those who hear still may (scorecard.live.leave).
"""

from __future__ import annotations

import sys
import time
from datetime import date
from typing import NamedTuple

from django.core import signing

from scorecard.live.leave import Leave

SALT = "scorecard.live"
HOURS = 12  # LONGEST_LEAVE of the hub
CARD, BOARD = "card", "board"


class Ticket(NamedTuple):
    """Who looks at what since when. month ("2023-10") is a card's, territory a board's; at is in seconds."""

    user: int
    kind: str
    unit: int
    month: str
    territory: int
    at: float

    @property
    def key(self):
        """What the stream is told of: the cards of a unit and month, or the incidents of a territory."""
        return (self.unit, sys.intern(self.month)) if self.kind == CARD else self.territory

    @property
    def leave(self) -> Leave:
        return Leave(self.user, self.unit, self.kind == BOARD)

    @property
    def until(self) -> float:
        return self.at + HOURS * 3600


class TicketError(ValueError):
    """The ticket is not ours, was altered, or is too old."""


def for_card(*, user, unit, month: date, now: float | None = None) -> str:
    """Leave to be told when the unit's card of the month, or one below it, changes."""
    return _signed(user.pk, CARD, unit.pk, f"{month:%Y-%m}", 0, now)


def for_board(*, user, unit, now: float | None = None) -> str:
    """Leave to be told when something happens in the unit's territory."""
    return _signed(user.pk, BOARD, unit.pk, "", unit.territory_id, now)


def _signed(user, kind, unit, month, territory, now) -> str:
    at = round(time.time() if now is None else now, 3)
    return signing.dumps([user, kind, unit, month, territory, at], salt=SALT)


def read(text: str, *, now: float | None = None) -> Ticket:
    """The ticket, if it is ours and holds still."""
    try:
        ticket = Ticket(*signing.loads(text, salt=SALT))
    except (signing.BadSignature, TypeError, ValueError):
        raise TicketError("this ticket is not ours") from None
    if ticket.until < (time.time() if now is None else now):
        raise TicketError("this ticket is too old")
    return ticket
