"""What the worker does. Each task is idempotent and calls one function."""

import logging
import time

from celery import shared_task
from django.utils import timezone

from incidents import counting
from indicators.stale import ask_for_drain, draining, lower_flag
from scorecard import refresh
from scorecard.turn import step, turn

logger = logging.getLogger(__name__)
LONGEST = 60.0  # seconds: under a steady stream a task hands over to the next, so that none runs into its time limit


@shared_task(name="scorecard.tasks.drain")
def drain():
    """Count again and compute what is stale, until no mark is left that another worker does not hold."""
    lower_flag()
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        with turn() as is_mine, draining():
            while is_mine and time.monotonic() < end and _drain_once():
                pass
        if not is_mine or not _has_marks():
            return
    ask_for_drain()


def _drain_once():
    """Whether there was anything to do."""
    step()
    counted, figures = counting.drain(now=timezone.now())
    marks, cards = refresh.drain(now=timezone.now())
    if counted or marks:
        written = figures.created + figures.changed
        logger.info("drained counts=%s figures=%s marks=%s cards=%s", counted, written, marks, cards.written)
    return bool(counted or marks)


def _has_marks():
    return counting.has_marks(now=timezone.now()) or refresh.has_marks()


@shared_task(name="scorecard.tasks.sweep")
def sweep():
    """Drain the marks whose message was lost."""
    drain()
