"""What the worker does for incidents. Each task is idempotent and calls one function."""

from datetime import date, timedelta

from celery import shared_task
from django.utils import timezone

from incidents import regeoreference as placing
from incidents.connect import letters
from incidents.connect import pull as pulling
from incidents.feed import jobs
from units.models import User


@shared_task(name="incidents.tasks.take_job")
def take_job(pk):
    """Take what is left of a large body."""
    jobs.take_job(pk=pk, now=timezone.now())


@shared_task(name="incidents.tasks.sweep_jobs")
def sweep_jobs():
    """Take up the jobs whose message was lost, or whose worker died."""
    now = timezone.now()
    for pk in jobs.left(before=now - timedelta(minutes=1)):
        jobs.take_job(pk=pk, now=now)


@shared_task(name="incidents.tasks.pull_due")
def pull_due():
    """Ask for a pull of each connector whose turn it is: a slow source keeps no other waiting."""
    for pk in pulling.due(now=timezone.now()):
        pulling.ask_for(pk)


@shared_task(name="incidents.tasks.pull")
def pull(pk):
    """Read a connector that is due, unless another worker does."""
    pulling.pull(pk=pk)


@shared_task(name="incidents.tasks.expire_letters")
def expire_letters():
    """Delete the dead letters that were kept long enough."""
    letters.expire(now=timezone.now())


@shared_task(name="incidents.tasks.regeoreference")
def regeoreference(from_month, to_month, by=None, reason=""):
    """Place the incidents of these months (ISO dates; the second not included) by the boundaries as they are now.

    What is placed already does not move: it may be run twice.
    """
    placing.regeoreference(
        by=User.objects.filter(pk=by).first(),
        from_month=date.fromisoformat(from_month),
        to_month=date.fromisoformat(to_month),
        now=timezone.now(),
        reason=reason,
        progress=placing.log_progress,
    )
