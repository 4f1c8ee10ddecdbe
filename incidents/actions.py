"""Incidents come in here and nowhere else: with what they replace, what they revise, and the figures that follow."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction

from incidents import accounts, counting, layout, matching, parse, reader, revision, rules, store
from incidents.accounts import PublishError
from incidents.dictionary import Dictionary, TooManyCodesError, ensure, subtree
from incidents.models import Category, IncidentKey, Publication
from indicators.models import Batch
from indicators.months import add_months, month_of
from units import files
from units.refusals import Refusal

LOST_SHARE, LOST_AT_LEAST = 0.5, 5  # a month that would lose as much was likelier not covered than revised


@dataclass
class Request:
    """How a publication is taken. `covers`: first month, and first month no longer covered; else by its events."""

    by: object
    layout: layout.Layout
    source: object
    name: str
    sha256: str
    now: datetime
    as_of: date
    covers: tuple | None = None
    accept_valid: bool = False
    accept_removals: bool = False
    is_simulated: bool = False


@dataclass
class Outcome:
    """What came of a file. `publication` is None where nothing was written: rows refused, or a dry run.

    Where the same file was taken before and nothing differs, it is that earlier publication.
    """

    report: dict = field(default_factory=dict)
    refused: list = field(default_factory=list)
    publication: Publication | None = None
    is_taken: bool = False
    table: reader.Table | None = None


class _DryRun(Exception):  # noqa: N818 - it is no error: it takes the transaction back
    pass


def _silent(stage, rows):
    pass


def import_file(*, path, layout_name, as_of, dry_run=False, progress=_silent, **how):
    """Take a published file: read, mend, match with what is stored of its months, write what differs, count again.

    how: fields of Request (by, source, now, covers, accept_valid, accept_removals, is_simulated). Nothing is written
    where rows are refused and `accept_valid` is not given. Raises FileError, LayoutError, PublishError.
    """
    form = layout.load(layout_name)
    progress("reading", 0)
    table = reader.read(path, form)
    zone = ZoneInfo(settings.TIME_ZONE)
    parsed = parse.parse(table, form, as_of=as_of, box=settings.COUNTRY_BOX, zone=zone)
    name = str(path).replace("\\", "/").rsplit("/", 1)[-1][:200]
    request = Request(layout=form, name=name, sha256=files.digest(path), as_of=as_of, **how)
    outcome = take(parsed=parsed, request=request, dry_run=dry_run, progress=progress, about=_about(table))
    outcome.table = table
    return outcome


def _about(table):
    found = table.found
    return {"sheet": table.name, "header_row": found.header_row + 1, "guessed": found.guessed, "unread": found.unread}


def take(*, parsed, request, dry_run=False, progress=_silent, about=None):
    """Take the parsed rows of a publication, all or nothing. Returns Outcome."""
    if not parsed.read:
        raise PublishError("no_rows")
    if request.covers:
        if request.covers[1] > add_months(month_of(request.as_of), 1):
            raise PublishError("future_months")
        parse.refuse_outside(parsed, *request.covers)
    outcome = Outcome(report={"file": {"name": request.name, "sha256": request.sha256, **(about or {})}})
    try:
        with transaction.atomic():
            _Taking(outcome, parsed, request, progress).run()
            if dry_run:
                raise _DryRun
    except _DryRun:
        outcome.publication = None
    except TooManyCodesError as error:
        raise PublishError("too_many_codes", variable=str(error)) from error
    return outcome


class _Taking:
    """One publication on its way in: what is read, what is stored, what differs."""

    def __init__(self, outcome, parsed, request, progress):
        self.outcome, self.parsed, self.request, self.progress = outcome, parsed, request, progress
        self.publication = None

    def run(self):
        request, parsed = self.request, self.parsed
        store.lock(request.source.pk)
        ensure()
        self.book, self.dictionary = accounts.gazetteer(), Dictionary()
        places = accounts.place(parsed, request.layout, self.book, request.as_of)
        self.outcome.refused = [_refusal(refusal) for refusal in parsed.refused]
        self.outcome.report |= revision.of_rows(parsed)
        if parsed.refused and not request.accept_valid:
            return
        if not len(parsed):
            raise PublishError("no_rows")
        self.progress("matching", len(parsed))
        self._match(places)
        self._refuse_losses()
        self.progress("writing", len(parsed))
        self._write()
        self.progress("counting", len(parsed))
        self._count()
        self.outcome.is_taken, self.outcome.publication = True, self.publication

    def _match(self, places):
        request, parsed = self.request, self.parsed
        self.start, self.end = request.covers or (
            month_of(parsed.days.min().item()), add_months(month_of(parsed.days.max().item()), 1)
        )  # fmt: skip
        roots = Category.objects.filter(code__in=request.layout.roots).values_list("pk", flat=True)
        self.categories = [pk for root in roots for pk in subtree(root)]
        self.new = accounts.build(parsed, places, self.book, self.dictionary)
        self.old = accounts.stored(
            source=request.source.pk,
            categories=self.categories,
            start=self.start,
            end=self.end,
            dictionary=self.dictionary,
        )
        self.facts = accounts.facts(request.layout, parsed.fields, self.dictionary)
        self.was, self.says = (accounts.matrix(side, self.facts) for side in (self.old, self.new))
        months = [side.days.astype("datetime64[M]").astype(np.int64) for side in (self.old, self.new)]
        ids = self._identifiers() if parsed.ids is not None else (None, None)
        self.match = matching.match(self.was, self.says, self.facts.columns, *ids, months=months)

    def _identifiers(self):
        """The source's identifiers of old and new rows as numbers; -1 where an old row has none."""
        held = IncidentKey.objects.filter(source=self.request.source, incident_id__in=self.old.ids.tolist())
        known = dict(held.values_list("incident_id", "external_id"))
        number = {text: i for i, text in enumerate(dict.fromkeys([*known.values(), *self.parsed.ids]))}
        old = np.array([number[known[pk]] if pk in known else -1 for pk in self.old.ids.tolist()], np.int64)
        return old, np.array([number[text] for text in self.parsed.ids], np.int64)

    def _refuse_losses(self):
        """A file that would empty a month of what is stored may just not cover it: that has to be said."""
        if self.request.accept_removals or not len(self.match.removed):
            return
        months, stored = np.unique(self.old.days.astype("datetime64[M]"), return_counts=True)
        lost_in = np.searchsorted(months, self.old.days[self.match.removed].astype("datetime64[M]"))
        lost = np.bincount(lost_in, minlength=len(months))
        worst = np.flatnonzero((lost >= LOST_AT_LEAST) & (lost > LOST_SHARE * stored))
        if len(worst):
            at = worst[0]
            raise PublishError("removes_month", month=str(months[at]), removed=int(lost[at]), stored=int(stored[at]))

    def _write(self):
        match, request = self.match, self.request
        differs = bool(len(match.added) or len(match.removed) or len(match.changed_old))
        before = Publication.objects.filter(layout=request.layout.name, source=request.source, sha256=request.sha256)
        self.publication = before.filter(from_month=self.start, to_month=self.end).first()
        if self.publication and not differs:
            self._report()
            return
        self.publication = self._publication()
        added = self.new.take(match.added)
        added.ids = store.new_ids(len(added))
        self._name(added)
        old = self.old.take(match.changed_old)
        now_says = accounts.merge(old, self.new.take(match.changed_new), self.facts)
        self._report(added, old, now_says)
        how = {"publication": self.publication.pk, "now": request.now}
        bits = revision.bits(self.was[match.changed_old], self.says[match.changed_new], self.facts.columns)
        store.change(now_says, was_on=old.days, changes=bits, facts=self.facts.names, **how)
        store.remove(self.old.take(match.removed), **how)
        store.insert(added, source=request.source.pk, publication=self.publication.pk, person=request.layout.person)
        self.outcome.report["new_codes"] = self.dictionary.save()

    def _name(self, added):
        """Keep the source's own identifiers, where it gives them."""
        if self.parsed.ids is not None:
            named = zip(self.match.added.tolist(), added.ids.tolist(), added.days.tolist(), strict=True)
            IncidentKey.objects.bulk_create(
                IncidentKey(
                    source=self.request.source, external_id=self.parsed.ids[row], incident_id=pk, occurred_on=day
                )
                for row, pk, day in named
            )

    def _publication(self):
        request, match = self.request, self.match
        batch = Batch.objects.create(
            kind="incidents", name=request.name, sha256=request.sha256, by=request.by, at=request.now,
            is_simulated=request.is_simulated,
        )  # fmt: skip
        return Publication.objects.create(
            layout=request.layout.name, source=request.source, name=request.name, sha256=request.sha256,
            from_month=self.start, to_month=self.end, at=request.now, rows=self.parsed.read,
            repeated=self.parsed.repeated,
            refused=len(self.parsed.refused), unchanged=len(match.same_old), added=len(match.added),
            changed=len(match.changed_old), removed=len(match.removed), batch=batch,
        )  # fmt: skip

    def _report(self, added=None, old=None, now_says=None):
        match, report = self.match, self.outcome.report
        report["period"] = [f"{self.start:%Y-%m}", f"{add_months(self.end, -1):%Y-%m}"]
        report["outcome"] = {
            "unchanged": len(match.same_old), "added": len(match.added), "changed": len(match.changed_old),
            "removed": len(match.removed),
        }  # fmt: skip
        if added is not None:
            report["revised"] = revision.describe(self, added, old, now_says)

    def _count(self):
        counted = counting.recount(
            by=self.request.by, start=self.start, end=self.end, now=self.request.now, categories=self.categories,
            name=self.request.name, is_simulated=self.request.is_simulated,
        )  # fmt: skip
        report = self.outcome.report
        report["figures"] = {"created": counted.created, "changed": counted.changed, "unchanged": counted.unchanged}
        report["without_unit"] = dict(counted.without_unit)
        if not self.publication.report:
            self.publication.report = report
            self.publication.save(update_fields=["report"])
            self.publication.batch.report = {"publication": self.publication.pk, **report["outcome"]}
            self.publication.batch.save(update_fields=["report"])


def _refusal(refusal):
    """A refusal in words, with what stood in the cell."""
    words = str(rules.REFUSED[refusal.rule])
    return Refusal(refusal.row, refusal.field, refusal.rule, f"{words} ({refusal.value})" if refusal.value else words)
