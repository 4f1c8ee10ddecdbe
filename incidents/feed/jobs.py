"""Large bodies: accepted at once, taken in later by a worker, part after part, whoever begins or goes on with it."""

from __future__ import annotations

import logging
from collections import Counter

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from incidents.connect import letters
from incidents.feed import book as books
from incidents.feed import decode, laid_out
from incidents.feed.outcome import LISTED, RESULTS, cut
from incidents.feed.raws import raws
from incidents.feed.receive import take
from incidents.feed.rules import BODY
from incidents.models import Job, JobState
from units.api.metering import meter

logger = logging.getLogger(__name__)
OVER = (JobState.DONE, JobState.FAILED)
TASK = "incidents.tasks.take_job"
PART = 5_000  # items that one transaction takes
ATTEMPTS = 5  # to come on with a job; then it has failed


def accept(*, account, institution, body, kind, now, layout="", is_short=False):
    """Keep a body, and the layout in whose columns it is, for the worker, who is asked at the commit. Returns Job."""
    job = Job.objects.create(
        account=account, institution=institution, kind="incidents", content_type=f"{kind};{layout}".rstrip(";"),
        body=body, is_short=is_short, at=now,
    )  # fmt: skip
    transaction.on_commit(lambda: ask_for(job.pk))
    return job


def ask_for(pk):
    """Ask a worker to take a job. It stands in the database: the sweep asks again where the message is lost."""
    try:
        current_app.send_task(TASK, args=[str(pk)], retry=False)
    except OperationalError:
        logger.warning("The broker did not take the message; the sweep will ask again.", exc_info=True)


def left(*, before):
    """Ids of jobs that were accepted before this instant and are not over."""
    return list(Job.objects.exclude(state__in=OVER).filter(at__lt=before).values_list("pk", flat=True))


def take_job(*, pk, now):
    """Take what is left of a job. Whoever holds it meanwhile does the work; nothing is done twice.

    A fault of ours is logged, and keeps no other job waiting. After ATTEMPTS that took no part, those that ended with
    the worker's death among them, the job has failed: what was taken stands, and the report names what was not.
    """
    if not _begin(pk, now):
        return
    try:
        _take_parts(pk, now)
    except Exception:
        logger.exception("job=%s could not be taken in", pk)
        with transaction.atomic():
            job = _held(pk)
            if job is not None and job.attempts >= ATTEMPTS:
                _give_up(job, now, _not_taken(job))


def _held(pk, *deferred):
    """The job, locked; None where it is over or another holds it."""
    found = Job.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).exclude(state__in=OVER)
    return found.defer(*deferred).first()


def _begin(pk, now):
    """Count the attempt before it is made, since it may end with the worker. Returns whether it is to be made."""
    with transaction.atomic():
        job = _held(pk, "body")
        if job is None:
            return False
        if job.attempts >= ATTEMPTS:
            _give_up(job, now, {"from": job.done})
            return False
        Job.objects.filter(pk=pk).update(attempts=job.attempts + 1)
    return True


def _give_up(job, now, not_taken):
    words = str(BODY["job_failed"]) % {"at": not_taken["from"]}
    job.report |= {"error": {"rule": "job_failed", "message": words}, "not_taken": not_taken}
    _end(job, JobState.FAILED, now)
    job.save()


def _not_taken(job):
    """Which items were not: the first and last of them from 0, and their identifiers, where the body can be read."""
    try:
        items, _source = read(
            bytes(job.body), *job.content_type.partition(";")[::2], institution=job.institution, is_short=job.is_short
        )
    except Exception:  # noqa: BLE001 - it may be just what the job failed of
        return {"from": job.done}
    left = [item.external_id for item in items.items[job.done :]]
    return {"from": job.done, "to": len(items.items) - 1, "external_ids": _storable(left[:LISTED])}


def _take_parts(pk, now):
    items = source = None
    while True:
        with transaction.atomic():
            job = _held(pk)
            if job is None:
                return
            if items is None:
                job.started_at = job.started_at or now
                job.state = JobState.RUNNING
                items, source = _items(job, now)
                if items is None:
                    return
            _take_part(job, items, source, now)
            if job.done >= len(items.items):
                _end(job, JobState.DONE, now)
            job.save()


def _items(job, now):
    """(Decoded, Source or None) of a job; None, None where its body cannot be read: the job has failed."""
    kind, _semicolon, layout = job.content_type.partition(";")
    try:
        decoded, source = read(bytes(job.body), kind, layout, institution=job.institution, is_short=job.is_short)
    except decode.BodyError as error:
        words = str(BODY[error.rule]) % {"at": error.at}
        job.report = {"error": {"rule": error.rule, "message": words}}
        _end(job, JobState.FAILED, now)
        job.save()
        return None, None
    job.items = len(decoded.items)
    job.report.setdefault("items", [])
    if decoded.cut is not None:
        job.report["cut"] = cut(decoded.cut)
    return decoded, source


def read(body, kind, layout="", *, institution, is_short=False):
    """(Decoded, Source) of a body; the Source is None where it is in the feed's own fields. Raises BodyError."""
    if layout:
        return laid_out.decoded(body, kind, layout, is_short=is_short)
    return decode.decode(body, kind, is_short=is_short, learnt=books.current().learnt(institution.pk)), None


def _take_part(job, items, source, now):
    """The next items, and what came of them, in one transaction: who takes it up again goes on behind them."""
    part = decode.Decoded(items.items[job.done : job.done + PART])
    outcome = take(account=job.account, institution=job.institution, now=now, decoded=part)
    counts = Counter({result: job.report.get(result, 0) for result in RESULTS})
    counts.update(outcome.counts)
    job.report |= counts
    listed = [said for said in outcome.items(job.done) if "errors" in said or "flags" in said]
    if source is not None:
        laid_out.name_items(listed, source)
    job.report["items"] = (job.report["items"] + _storable(listed))[:LISTED]
    _keep_refused(job, outcome, now)
    meter_at_commit(job, outcome.metered, now)
    job.done += len(part.items)
    job.attempts = 1  # this one, for the part behind


def _storable(said):
    """The same JSON without the letter that no text of the database has."""
    if isinstance(said, dict):
        return {name: _storable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_storable(value) for value in said]
    return said.replace("\0", "") if isinstance(said, str) else said


def _keep_refused(job, outcome, now):
    """Nobody waits for the answer of a job: its refused items are kept for a person to replay."""
    if not outcome.faults:
        return
    kind, _semicolon, layout = job.content_type.partition(";")
    came = raws(bytes(job.body), kind, is_laid_out=bool(layout))
    refused = [(came[job.done + n], outcome.external_ids[n], faults[0]) for n, faults in sorted(outcome.faults.items())]
    letters.keep(account=job.account, institution=job.institution, refused=refused, now=now, layout=layout)


def meter_at_commit(job, counts, now):
    """The request was counted when it came."""
    transaction.on_commit(lambda: meter(job.account, job.institution.code, now=now, requests=0, **counts))


def _end(job, state, now):
    job.state, job.finished_at, job.body = state, now, None
