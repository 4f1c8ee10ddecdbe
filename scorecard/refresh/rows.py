"""Cards as rows: arrays (R rows, P positions), what they sum up to, and how they are read from and written to
PostgreSQL.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from django.db import connection

from indicators.cards import score_cards
from indicators.codes import Mark, light_of
from scorecard.refresh.announce import announce
from units.pgcopy import Column, copy_in, copy_out

FIGURES = ("value", "target", "attainment", "to_date_value", "to_date_target", "to_date_attainment")
COUNTS = ("marks", "to_date_marks", "to_date_months")
UNITS = ("reported", "due", "worst_child")
RANGES = ("high", "to_date_high")
CELLS = (*FIGURES, *COUNTS, *UNITS, *RANGES)
KINDS = {
    **dict.fromkeys((*FIGURES, *RANGES), ("float8", np.float64, np.nan)),
    **dict.fromkeys(COUNTS, ("int2", np.int16, 0)),
    **dict.fromkeys(UNITS, ("int4", np.int32, 0)),
}
LENGTHS = "cardinality(value), cardinality(high), cardinality(approved_marks)"
TOTALS = ("score", "score_low", "score_high", "coverage", "approved_score", "approved_coverage")
MONTHS_SHIFT = 8  # to_date_months: months with a figure << 8 | months due
LOCK_CLASS = 7302
FEW = 100  # cards that are asked for by name, without a temporary table
NOT_A_NUMBER = np.uint64(0x7FF8 << 48)


@dataclass
class Rows:
    """R cards. month (R,): 0..11 of the year; ordinal (R,). cells: {name: (R, P)}. driving: attainment and marks (R,
    L) of the plan's lines that enter the score, and approved: the same of approved figures only.

    keeps_approved (R,): whether approved figures are other than those that drive the lights, at any position.
    """

    month: np.ndarray
    ordinal: np.ndarray
    cells: dict
    driving: tuple
    approved: tuple
    keeps_approved: np.ndarray
    totals: dict | None = None

    def __len__(self):
        return len(self.month)

    @property
    def is_provisional(self):
        return ((self.driving[1] & Mark.PROVISIONAL) != 0).any(axis=1)

    def sum_up(self, plan, positions):
        """Scores of the cards from their lines. plan: PlanTree; positions (L,): the lines' places in the arrays."""
        every = score_cards(plan, self.driving[0].T, self.driving[1].T)
        provisional = self.is_provisional
        keeps = self.keeps_approved.any()
        approved = score_cards(plan, self.approved[0].T, self.approved[1].T) if keeps else every
        worst = every.worst_line[0]
        self.totals = {
            "light": light_of(every.marks[0]).astype(np.int16),
            "has_red": every.has_red[0],
            "is_provisional": provisional,
            "score": every.score[0],
            "score_low": every.low[0],
            "score_high": every.high[0],
            "coverage": every.coverage[0],
            "approved_score": approved.score[0],
            "approved_coverage": approved.coverage[0],
            "worst_position": np.where(worst >= 0, positions[worst], -1).astype(np.int16)
            if len(positions)
            else np.full(len(self), -1, np.int16),
            "objective_score": np.ascontiguousarray(every.score[1:].T),
        }


def digests(parts):
    """A 64-bit digest a row of arrays (R,) or (R, n): a change of any one element changes it.

    NaN is one value. What is blank (NaN, or the integer 0) adds nothing, so that an array left short of blanks at its
    end has the digest of the whole one.
    """
    total = None
    for seed, part in enumerate(parts):
        part = part.reshape(len(part), -1)
        if part.dtype.kind == "f":
            words = (part + 0.0).view(np.uint64) ^ NOT_A_NUMBER
            words[np.isnan(part)] = 0
        else:
            words = part.astype(np.int64).view(np.uint64)
        odd = np.random.default_rng(seed).integers(0, 1 << 63, words.shape[1], np.uint64) << np.uint64(1) | np.uint64(1)
        mixed = (words ^ (words >> np.uint64(29))) @ odd if words.shape[1] else np.zeros(len(part), np.uint64)
        rotated = mixed * np.uint64(2 * seed + 3)
        total = rotated if total is None else total ^ (rotated + (total << np.uint64(7)))
    return total.view(np.int64)


def lock_years(keys):
    """One writer at a time of each (institution, year), until the transaction ends; taken in one order by everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM (SELECT unnest(%s::int[]) AS key ORDER BY 1) keys",
            [LOCK_CLASS, sorted({institution * 4096 + year for institution, year in keys})],
        )


class Store:
    """The cards of one institution and year in PostgreSQL, by month (0..11) and ordinal."""

    def __init__(self, institution_id, axis):
        self.institution_id, self.axis, self.year = institution_id, axis, axis.year

    def clear(self, first, last):
        """Take out all cards of these months. Returns how many."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM scorecard_card WHERE {self._where(first, last)}")
            return cursor.rowcount

    def _where(self, first, last):
        return (
            f"institution_id = {int(self.institution_id)} AND month >= '{self.year}-{first + 1:02d}-01' "
            f"AND month <= '{self.year}-{last:02d}-01'"
        )

    def heads(self, first, last, positions=()):
        """What stands for months first..last-1: keys, digests, recipe, score, worst unit; and at some positions the
        cells and the approved figures, whose marks are -1 where none are kept.
        """
        columns = [
            ("month", "month", "date"),
            ("unit_id", "unit_id", "int4"),
            ("recipe_id", "recipe_id", "int4"),
            ("digest", "digest", "int8"),
            ("score", "score", "float8"),
            ("worst_unit_id", "coalesce(worst_unit_id, 0)", "int4"),
        ]
        for position in positions:
            for name in CELLS:
                kind, _, _ = KINDS[name]
                missing = f"'NaN'::{kind}" if kind == "float8" else f"0::{kind}"
                columns.append((f"{name} {position}", f"coalesce({name}[{position + 1}], {missing})", kind))
            none = "CASE WHEN cardinality(approved_marks) = 0 THEN -1 ELSE 0 END"
            place = f"[{position + 1}]"
            approved = f"coalesce(approved_attainment{place}, 'NaN'::float8)"
            columns.append((f"approved_attainment {position}", approved, "float8"))
            columns.append((f"approved_marks {position}", f"coalesce(approved_marks{place}, ({none})::int2)", "int2"))
        select = ", ".join(sql for _, sql, _ in columns)
        found = _out(
            f"SELECT {select} FROM scorecard_card WHERE {self._where(first, last)}",
            [(name, kind, None) for name, _, kind in columns],
        )
        found["at"] = found["month"].astype("datetime64[M]").astype(np.int64) % 12
        found["ordinal"] = self.axis.ordinals(found["unit_id"])
        return found

    def read(self, month, ordinal, size, ranges):
        """Whole stored cards at (month, ordinal): cells {name: (R, P)}, approved arrays (NaN, 0 where none),
        has_approved.
        """
        with self._wanted(month, ordinal) as wanted:
            return self._read(wanted, len(month), size, ranges)

    @contextmanager
    def _wanted(self, month, ordinal):
        """SQL of a relation wanted(at, month, unit_id): a temporary table, or where they are few their list."""
        months = np.datetime64(f"{self.year}-01", "M") + month
        units = self.axis.unit_ids[ordinal]
        if len(month) <= FEW:
            rows = zip(months.astype("datetime64[D]").tolist(), units.tolist(), strict=True)
            values = ", ".join(f"({n}, DATE '{day}', {unit})" for n, (day, unit) in enumerate(rows))
            yield f"(VALUES {values or '(0, NULL::date, 0)'}) wanted(at, month, unit_id)"
            return
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE wanted (at int, month date, unit_id int) ON COMMIT DROP")
            columns = [Column("int4", np.arange(len(month))), Column("date", months), Column("int4", units)]
            copy_in(cursor, "wanted", ["at", "month", "unit_id"], columns, len(month))
            cursor.execute("ANALYZE wanted")
        yield "wanted"
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE wanted")

    def _read(self, wanted, rows, size, ranges):
        cells = {
            name: np.full((rows, size if name not in RANGES else ranges), fill, dtype)
            for name, (_, dtype, fill) in KINDS.items()
        }
        approved = np.full((rows, size), np.nan), np.zeros((rows, size), np.int16)
        has_approved = np.zeros(rows, bool)
        into = {**cells, "approved_attainment": approved[0], "approved_marks": approved[1]}
        for lengths in self._lengths(wanted):
            found = self._read_part(wanted, *lengths)
            at = found["at"]
            for name, array in into.items():
                held = min(array.shape[1], found[name].shape[1])
                array[at, :held] = found[name][:, :held]
            has_approved[at] = lengths[2] > 0
        return cells, approved, has_approved

    def _lengths(self, wanted):
        """The lengths that the wanted cards' arrays have: those of older cards are of fewer indicators."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT {LENGTHS} FROM {self._cards()} JOIN {wanted} USING (month, unit_id)")
            return cursor.fetchall()

    def _cards(self, test="true"):
        """The year's cards out of their one partition."""
        return f"(SELECT * FROM scorecard_card WHERE {self._where(0, 12)} AND {test}) cards"

    def _read_part(self, wanted, size, ranges, approved):
        fields = [("at", "int4", None)]
        fields += [(name, KINDS[name][0] + "[]", ranges if name in RANGES else size) for name in CELLS]
        fields += [("approved_attainment", "float8[]", approved), ("approved_marks", "int2[]", approved)]
        names = ", ".join(name for name, _, _ in fields)
        cards = self._cards(f"({LENGTHS}) = ({size}, {ranges}, {approved})")
        return _out(f"SELECT {names} FROM {cards} JOIN {wanted} USING (month, unit_id)", fields)

    def write(self, rows, recipes, worst_unit, approved_full, stored, *, first, last, only=False, kept=None):
        """Write the rows that differ from what is stored; take out stored cards of units that do not stand (unless
        `only`). kept: KeptYear to be told of what was written, if any.

        recipes (12,): recipe id by month. worst_unit (R,): unit ids. approved_full: (R, P) attainment and marks.
        Returns the number of cards written and taken out.
        """
        months = np.datetime64(f"{self.year}-01", "M") + rows.month
        unit_ids = self.axis.unit_ids[rows.ordinal]
        parents = np.stack([self.axis.parent_ids(m) for m in range(12)])[rows.month, rows.ordinal]
        parts = self._parts(rows, recipes, worst_unit, parents, approved_full)
        digest = digests(list(parts.values()))
        n = len(self.axis)
        old = np.zeros(12 * n, np.int64)
        there = np.zeros(12 * n, bool)
        known = stored["ordinal"] >= 0
        keys = stored["at"][known] * n + stored["ordinal"][known]
        old[keys], there[keys] = stored["digest"][known], True
        mine = rows.month * n + rows.ordinal
        changed = ~there[mine] | (old[mine] != digest)
        gone = np.zeros(12 * n, bool)
        if not only:
            gone = there.copy()
            gone[mine] = False
        with connection.cursor() as cursor:
            removed = self._remove(cursor, mine[changed & there[mine]], np.flatnonzero(gone), stored, first, last)
            for group, length in ((changed & ~rows.keeps_approved, 0), (changed & rows.keeps_approved, None)):
                index = np.flatnonzero(group)
                if len(index):
                    self._copy(cursor, index, months, unit_ids, parents, parts, digest, approved_full, length)
        if kept is not None:
            kept.written(rows, digest, recipes, worst_unit, approved_full)
        announce(months[changed], unit_ids[changed])
        return int(changed.sum()), removed

    def _parts(self, rows, recipes, worst_unit, parents, approved_full):
        """What a card says, by column, in the order of its digest."""
        totals = rows.totals
        return {
            "recipe_id": recipes[rows.month],
            "parent_id": parents,
            "worst_unit_id": worst_unit,
            **totals,
            **{name: rows.cells[name] for name in CELLS},
            **_where_kept(rows.keeps_approved, approved_full),
        }

    def _remove(self, cursor, replaced, gone, stored, first, last):
        strangers = stored["ordinal"] < 0
        if strangers.any():
            cursor.execute(
                f"DELETE FROM scorecard_card WHERE {self._where(first, last)} AND unit_id = ANY(%s)",
                [np.unique(stored["unit_id"][strangers]).tolist()],
            )
        keys = np.concatenate([replaced, gone])
        if not len(keys):
            return int(strangers.sum())
        n = len(self.axis)
        if len(keys) + int(strangers.sum()) == len(stored["ordinal"]):
            cursor.execute(f"DELETE FROM scorecard_card WHERE {self._where(first, last)}")
        else:
            months = (np.datetime64(f"{self.year}-01", "M") + keys // n).astype("datetime64[D]").tolist()
            cursor.execute(
                "DELETE FROM scorecard_card c USING unnest(%s::date[], %s::int[]) AS k(month, unit_id) "
                f"WHERE c.month = k.month AND c.unit_id = k.unit_id AND c.month >= '{self.year}-01-01' "
                f"AND c.month <= '{self.year}-12-01'",
                [months, self.axis.unit_ids[keys % n].tolist()],
            )
        return len(gone) + int(strangers.sum())

    def _copy(self, cursor, index, months, unit_ids, parents, parts, digest, approved_full, length):
        rows = len(index)
        index = slice(None) if rows == len(digest) else index
        kinds = {
            "recipe_id": "int4",
            "worst_unit_id": "int4",
            "light": "int2",
            "has_red": "bool",
            "is_provisional": "bool",
            "worst_position": "int2",
            "objective_score": "float8[]",
            **dict.fromkeys(TOTALS, "float8"),
            **{name: KINDS[name][0] + "[]" for name in CELLS},
        }
        names = [
            "month",
            "unit_id",
            "institution_id",
            "parent_id",
            "digest",
            *kinds,
            "approved_attainment",
            "approved_marks",
        ]
        columns = [
            Column("date", months[index]),
            Column("int4", unit_ids[index]),
            Column("int4", self.institution_id),
            Column("int4", parents[index], parents[index] == 0),
            Column("int8", digest[index]),
            *(Column(kind, parts[name][index]) for name, kind in kinds.items()),
            Column("float8[]", approved_full[0][index][:, :length]),
            Column("int2[]", approved_full[1][index][:, :length]),
        ]
        copy_in(cursor, "scorecard_card", names, columns, rows)


def _where_kept(keeps_approved, approved):
    """The approved arrays as far as they say something of their own."""
    if not keeps_approved.any():
        blank = np.empty((len(keeps_approved), 0))
        return {"approved_attainment": blank, "approved_marks": blank.astype(np.int16)}
    mask = keeps_approved[:, None]
    return {
        "approved_attainment": np.where(mask, approved[0], np.nan),
        "approved_marks": np.where(mask, approved[1], 0),
    }


def _out(select, fields):
    with connection.cursor() as cursor:
        return copy_out(cursor, select, fields)
