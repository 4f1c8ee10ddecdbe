"""What the worker does for units. Each task is idempotent and calls one function."""

from celery import shared_task
from django.utils import timezone

from units.api import idempotency


@shared_task(name="units.tasks.forget_answers")
def forget_answers():
    """Answers kept for requests that might be sent again, once nobody sends them any more."""
    idempotency.forget(before=timezone.now() - idempotency.KEPT)
