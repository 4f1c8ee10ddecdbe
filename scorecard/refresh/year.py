"""The cards of one institution's year: the columns wanted are computed, what they sum up to follows, changes are
written.
"""

import numpy as np
from django.utils import timezone

from indicators.codes import Sense
from indicators.rollup import worst_child
from scorecard.refresh import columns
from scorecard.refresh.axis import months_of
from scorecard.refresh.formulas import with_dependents
from scorecard.refresh.kept import MOST, KeptYear, Plainly, next_version, version_of
from scorecard.refresh.rows import CELLS, RANGES, Rows, Store

SAME_SCORE = 9  # scores that agree to so many decimals are tied for worst


class YearOfCards:
    """One institution and year, ready to refresh some months of it."""

    def __init__(self, sources, institution_id, year, now):
        self.sources, self.institution_id, self.year, self.now = sources, institution_id, year, now
        self.source = sources[institution_id]
        self.axis = self.source.axis(year)
        self.blueprint = sources.blueprint(institution_id, year)
        self.own, self.of_positions = Plainly(), None
        self.store = Store(institution_id, self.axis)
        self.size = self.blueprint.size
        self.ranges = self.size if self._has_ranges() else 0

    def _has_ranges(self):
        versions = [*self.source.versions, *self._cited_versions()]
        return any(version.sense == Sense.WITHIN for version in versions)

    def _cited_versions(self):
        for indicator, owner in self.blueprint.cited.items():
            yield from (v for v in self.sources[owner].versions if v.indicator_id == indicator)

    def refresh(self, first, last, indicators=None):
        """Months first..last-1, of some indicators or of all. Returns (cards written, cards taken out)."""
        self.recipes = self._recipes(first, last)
        self.by_month = self._by_month()
        if indicators is not None:
            wanted = with_dependents(self.source.versions, indicators)
            kept = self._kept(first, indicators) if len(wanted) <= MOST else None
            done = self._refresh_some(first, last, wanted, kept)
            if done is not None:
                version = next_version(self.institution_id, self.year)
                if kept is not None:
                    kept.end(version)
                return done
            self.own = Plainly()
        self.source.kept.pop(self.year, None)
        next_version(self.institution_id, self.year)
        return self._refresh_all(first, last)

    def _kept(self, first, indicators):
        """What the process holds of the year, where nobody has refreshed it since."""
        held = self.source.kept.get(self.year)
        if held is None or held.version is None or held.version != version_of(self.institution_id, self.year):
            self.source.kept.pop(self.year, None)
            while len(self.source.kept) > 1:  # the running year and the one before, as in January
                self.source.kept.pop(next(iter(self.source.kept)))
            held = self.source.kept[self.year] = KeptYear()
        held.begin(first, indicators)
        self.own = held
        return held

    def _recipes(self, first, last):
        """Recipe id of each month (12,), 0 outside the months wanted."""
        found = np.zeros(12, np.int64)
        made = {}
        for month in range(first, last):
            day = months_of(self.year)[month]
            versions = {v.indicator_id: v for v in self.source.in_force(day).versions}
            for v in self._cited_versions():
                if v.valid_from <= day and (v.valid_to is None or day < v.valid_to):
                    versions[v.indicator_id] = v
            key = (self.axis.digests[month], tuple(sorted((i, v.pk) for i, v in versions.items())))
            if key not in made:
                made[key] = self.blueprint.recipe(versions, self.axis.digests[month], self.now)
            found[month] = made[key]
        return found

    def _by_month(self):
        """Whether the month drives the light of each line of the plan, bool (12, L)."""
        ids = [line.indicator_id for _, line, _ in self.blueprint.lines]
        found = columns.by_month_of(self.source, ids, self.year)
        for n, indicator in enumerate(ids):
            owner = self.blueprint.cited.get(indicator)
            if owner is not None:
                found[:, n] = columns.by_month_of(self.sources[owner], [indicator], self.year)[:, 0]
        return found

    def _grid(self, first, last, wanted):
        """The wanted indicators' columns computed anew, in the order of `wanted`."""
        positions = [self.blueprint.positions[i] for i in wanted]
        column_of = {indicator: k for k, indicator in enumerate(wanted)}
        own = {i for i in wanted if i not in self.blueprint.cited}
        is_covered = len(own) == len(wanted) and self._in_force_throughout(own, first, last)
        units = len(self.axis)
        grid = columns.Grid.blank(first, last, units, positions, self.ranges, is_covered=is_covered)
        as_of = timezone.localtime(self.now).date()
        if own:
            columns.fill_own(grid, self.source, self.year, last, own, column_of, as_of, self.own)
        by_owner = {}
        for indicator, owner in self.blueprint.cited.items():
            if indicator in column_of:
                by_owner.setdefault(owner, {})[indicator] = column_of[indicator]
        for owner, cited in by_owner.items():
            other = YearOfCards(self.sources, owner, self.year, self.now)
            shape = other.size, other.ranges
            columns.fill_cited(grid, self.axis, other.source, self.year, last, cited, other.blueprint.positions, shape)
        return grid

    def _in_force_throughout(self, indicators, first, last):
        sheets = {id(s): s for s in (self.source.in_force(day) for day in months_of(self.year)[first:last])}
        return all(indicators <= set(s.ids) for s in sheets.values())

    def _refresh_all(self, first, last):
        everything = sorted(self.blueprint.positions, key=self.blueprint.positions.get)
        grid = self._grid(first, last, everything)
        month, ordinal = np.nonzero(self.axis.is_open[first:last])
        whole = len(month) == (last - first) * len(self.axis)

        def picked(array):
            return array.reshape(len(month), array.shape[2]) if whole else array[month, ordinal]

        cells = {name: picked(grid.cells[name]) for name in CELLS}
        approved = tuple(picked(part) for part in grid.approved)
        rows = self._rows(month + first, ordinal, cells, approved, grid.keeps_approved)
        scores = np.full((12, len(self.axis)), np.nan)
        scores[rows.month, rows.ordinal] = rows.totals["score"]
        worst = self._worst_units(scores, first, last)[rows.month, rows.ordinal]
        stored = self.store.heads(first, last)
        return self.store.write(rows, self.recipes, worst, approved, stored, first=first, last=last)

    def _rows(self, month, ordinal, cells, approved, may_differ):
        """may_differ: whether approved figures can be other than those that drive the lights."""
        lines = self.blueprint.line_positions
        driving = columns.drive(cells, None, self.by_month[month], lines)
        keeps = np.zeros(len(month), bool)
        if may_differ:
            keeps = _differ(approved, columns.drive(cells, None, self._by_month_of_positions()[month])).any(axis=1)
        rows = Rows(month, ordinal, cells, driving, columns.drive(cells, approved, None, lines), keeps)
        rows.sum_up(self.blueprint.tree, lines)
        return rows

    def _worst_units(self, scores, first, last):
        """Ids of the child with the lowest score, (12, N); 0 for none."""
        found = np.zeros(scores.shape, np.int64)
        for month in range(first, last):
            worst, _lowest = worst_child(self.axis.trees[month], np.round(scores[month][None, :], SAME_SCORE))
            found[month] = np.where(worst[0] >= 0, self.axis.unit_ids[worst[0]], 0)
        return found

    def _refresh_some(self, first, last, indicators, kept):
        """Some columns over the cards that stand; None where the cards must be made whole (new plan, tree, months)."""
        wanted = [i for i in indicators if i in self.blueprint.positions]
        if not wanted:
            return 0, 0
        positions = [self.blueprint.positions[i] for i in wanted]
        stored = (kept.stored if kept else Store.heads)(self.store, first, last, positions)
        if not self._stands(stored, first, last):
            return None
        grid = self._grid(first, last, wanted)
        changed = self._changed(grid, stored, positions)
        if not len(changed[0]):
            return 0, 0
        scores = np.full((12, len(self.axis)), np.nan)
        scores[stored["at"], stored["ordinal"]] = stored["score"]
        worst_before = np.zeros(scores.shape, np.int64)
        worst_before[stored["at"], stored["ordinal"]] = stored["worst_unit_id"]
        rows, approved = self._patched(grid, *changed, positions)
        scores[rows.month, rows.ordinal] = rows.totals["score"]
        worst = self._worst_units(scores, first, last)
        moved = (worst != worst_before) & self.axis.is_open
        moved[:first] = moved[last:] = False
        moved[changed] = False
        if moved.any():
            month, ordinal = np.nonzero(moved)
            both = np.concatenate([changed[0], month]), np.concatenate([changed[1], ordinal])
            rows, approved = self._patched(grid, *both, positions)
        worst = worst[rows.month, rows.ordinal]
        return self.store.write(
            rows, self.recipes, worst, approved, stored, first=first, last=last, only=True, kept=kept
        )

    def _stands(self, stored, first, last):
        """Whether just the cards that should stand do, made by the same recipes."""
        expected = int(self.axis.is_open[first:last].sum())
        return (
            len(stored["at"]) == expected
            and (stored["ordinal"] >= 0).all()
            and bool(self.axis.is_open[stored["at"], stored["ordinal"]].all())
            and (self.recipes[stored["at"]] == stored["recipe_id"]).all()
        )

    def _changed(self, grid, stored, positions):
        """(month, ordinal) of stored cards in which a cell differs from the grid, or an approved figure does."""
        at, ordinal = stored["at"] - grid.first, stored["ordinal"]
        differs = np.zeros(len(at), bool)
        for name in CELLS:
            if name in RANGES and not self.ranges:
                continue
            for k, position in enumerate(positions):
                new, old = grid.cells[name][at, ordinal, k], stored[f"{name} {position}"]
                differs |= (new != old) & ~((new != new) & (old != old))
        differs |= self._changed_approved(grid, stored, positions)
        return stored["at"][differs], ordinal[differs]

    def _changed_approved(self, grid, stored, positions):
        """Where approved figures differ from the grid's; none kept apart says that they are the driving ones."""
        differs = np.zeros(len(stored["at"]), bool)
        by_month = self._by_month_of_positions()[stored["at"]]
        for k, position in enumerate(positions):
            names = ("attainment", "marks", "to_date_attainment", "to_date_marks")
            cells = {name: stored[f"{name} {position}"] for name in names}
            driving = columns.drive(cells, None, by_month[:, position])
            kept = tuple(stored[f"approved_{name} {position}"] for name in ("attainment", "marks"))
            none = kept[1] == -1
            held = tuple(np.where(none, every, part) for every, part in zip(driving, kept, strict=True))
            fresh = tuple(part[stored["at"] - grid.first, stored["ordinal"], k] for part in grid.approved)
            differs |= _differ(fresh, held)
        return differs

    def _patched(self, grid, month, ordinal, positions):
        """Stored cards at (month, ordinal) with the grid's columns put in their place, summed up again."""
        cells, approved, has_approved = self.store.read(month, ordinal, self.size, self.ranges)
        at = month - grid.first
        by_month = self._by_month_of_positions()[month]
        every = columns.drive(cells, None, by_month)
        approved = tuple(
            np.where(has_approved[:, None], part, whole) for part, whole in zip(approved, every, strict=True)
        )
        for name in CELLS:
            if cells[name].shape[1]:
                cells[name][:, positions] = grid.cells[name][at, ordinal]
        for part, fresh in zip(approved, grid.approved, strict=True):
            part[:, positions] = fresh[at, ordinal]
        may_differ = grid.keeps_approved or bool(has_approved.any())
        return self._rows(month, ordinal, cells, approved, may_differ), approved

    def _by_month_of_positions(self):
        """Whether the month drives the light of each position, bool (12, P)."""
        if self.of_positions is None:
            self.of_positions = np.zeros((12, self.size), bool)
            for indicator, position in self.blueprint.positions.items():
                owner = self.sources[self.blueprint.cited.get(indicator, self.institution_id)]
                self.of_positions[:, position] = columns.by_month_of(owner, [indicator], self.year)[:, 0]
        return self.of_positions


def _differ(some, others):
    """Where (attainment, marks) differ, elementwise."""
    raw = (some[0] != others[0]) & ~(np.isnan(some[0]) & np.isnan(others[0]))
    return raw | (some[1] != others[1])
