"""The dictionary in use: categories, variables with their positions, and catalogues of codes that grow with the files.

What the product knows from the start stands in data/*.csv; `ensure` puts in what is missing and changes nothing else.
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from incidents import sqlview
from incidents.layout import plain
from incidents.models import Category, Factor, Kind, Variable, VariableCode

FOLDER = Path(__file__).parent / "data"
PERSONS = (Factor.VICTIM, Factor.VICTIMIZER)  # what codes.csv says of a "person" holds of both
NUMBERED = {("environment", "canton")}  # the state gives the numbers: one in use is this very value under another name
OWN_CODES = 20_001  # codes that we give where a file gives codes of its own but none for this value
LAST_CODE = 32_767


class TooManyCodesError(ValueError):
    """A variable has more values than a code can tell apart."""


def _rows(name):
    with open(FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ensure():
    """Put in the categories, variables and codes that are not there yet. Positions go on from the highest in use."""
    _ensure_categories()
    _ensure_variables()
    _ensure_codes()


def _ensure_categories():
    known = dict(Category.objects.values_list("code", "pk"))
    for row in _rows("categories"):
        if row["code"] not in known:
            parent = known[row["parent"]] if row["parent"] else None
            category = Category(
                code=row["code"], parent_id=parent, iccs=row["iccs"], name=row["name"], name_en=row["name_en"]
            )
            category.save()
            known[category.code] = category.pk


def _ensure_variables():
    known = {(variable.factor, variable.key) for variable in Variable.objects.all()}
    following = defaultdict(int)
    for factor, kind, position in Variable.objects.exclude(position=None).values_list("factor", "kind", "position"):
        following[factor, kind] = max(following[factor, kind], position + 1)
    new = []
    for row in _rows("variables"):
        if (row["factor"], row["key"]) in known:
            continue
        position = None
        if row["kind"] != Kind.COLUMN:
            position = following[row["factor"], row["kind"]]
            following[row["factor"], row["kind"]] += 1
        new.append(Variable(position=position, **row))
    Variable.objects.bulk_create(new)
    if new:
        sqlview.create()


def _ensure_codes():
    """Values by how files write them. Where a file's own value took the number first, the next one that is free."""
    variables = {(variable.factor, variable.key): variable.pk for variable in Variable.objects.all()}
    numbered = {variables[field] for field in NUMBERED}
    codes, labels = defaultdict(set), set()
    for variable, code, label in VariableCode.objects.values_list("variable_id", "code", "label"):
        codes[variable].add(code)
        labels.add((variable, label))
    new = []
    for field, row in _values():
        variable, code = variables[field], int(row["code"])
        if (variable, row["label"]) in labels or (code in codes[variable] and variable in numbered):
            continue
        if code in codes[variable]:
            code = max(codes[variable]) + 1
        codes[variable].add(code)
        labels.add((variable, row["label"]))
        said = {name: row[name] for name in ("label", "name", "name_en")}
        new.append(VariableCode(variable_id=variable, code=code, **said))
    VariableCode.objects.bulk_create(new)


def _values():
    """((factor, key), row) of every value that the product knows, in the order of the file."""
    keys = {(row["factor"], row["key"]) for row in _rows("variables")}
    for row in _rows("codes"):
        for factor in PERSONS if row["factor"] == "person" else (row["factor"],):
            if (factor, row["variable"]) in keys:
                yield (factor, row["variable"]), row


class Dictionary:
    """Variables by field ("victim.age") and their codes, as they are now."""

    def __init__(self):
        self.variables = {f"{variable.factor}.{variable.key}": variable for variable in Variable.objects.all()}
        self.labels, self.names, self.called = defaultdict(dict), defaultdict(dict), defaultdict(dict)
        self.new = defaultdict(list)
        rows = VariableCode.objects.order_by("code").values_list("variable_id", "code", "label", "name", "name_en")
        for variable, code, label, name, name_en in rows:
            self.labels[variable][label] = code
            self.names[variable][code] = name
            for text in filter(None, (name, name_en)):
                self.called[variable].setdefault(plain(text), code)

    def width(self, factor, kind):
        """Length of an array of this factor and kind: the highest position in use, and one."""
        held = [v.position for v in self.variables.values() if v.factor == factor and v.kind == kind]
        return max(held, default=-1) + 1

    def fields(self, factor, kind):
        """(position, field) of the variables of a factor and kind."""
        return sorted(
            (v.position, field) for field, v in self.variables.items() if v.factor == factor and v.kind == kind
        )

    def encode(self, field, coded):
        """Codes (R,) int16 of a column; values that no catalogue has yet are added to it. 0 where not stated."""
        variable = self.variables[field]
        given = coded.codes or [None] * len(coded.labels)
        own = coded.codes is not None
        codes = [self._code(variable, label, code, own) for label, code in zip(coded.labels, given, strict=True)]
        return np.array([*codes, 0], np.int16)[coded.index]

    def _code(self, variable, written, given, own):
        label, labels, names = plain(written), self.labels[variable.pk], self.names[variable.pk]
        if given is not None and given in names:
            return given
        if label in labels and (given is None or labels[label] >= OWN_CODES):
            return labels[label]
        if not own and label in self.called[variable.pk]:  # as people read it, where no file has written it so
            return self.called[variable.pk][label]
        if given is None:
            used = [code for code in names if not own or code >= OWN_CODES]
            given = max(used, default=OWN_CODES - 1 if own else 0) + 1
        if given > LAST_CODE:
            raise TooManyCodesError(str(variable))
        if label in labels:
            label = f"{label} ({given})"
        labels[label], names[given] = given, written
        self.new[variable.pk].append(VariableCode(variable=variable, code=given, label=label, name=written))
        return given

    def save(self):
        """Write the codes that were added. Returns how many by field."""
        added = [code for codes in self.new.values() for code in codes]
        VariableCode.objects.bulk_create(added)
        fields = {variable.pk: field for field, variable in self.variables.items()}
        counts = {fields[variable]: len(codes) for variable, codes in self.new.items()}
        self.new.clear()
        return counts

    def name(self, field, code):
        """The name of a code, "" for none."""
        return self.names[self.variables[field].pk].get(int(code), "")


def subtree(root):
    """Ids of a category and of all below it."""
    children = defaultdict(list)
    for pk, parent in Category.objects.values_list("pk", "parent_id"):
        children[parent].append(pk)
    found, open_ = [], [root]
    while open_:
        found.append(open_.pop())
        open_ += children[found[-1]]
    return found


ARRAYS = [
    (factor, kind)
    for factor in (Factor.ENVIRONMENT, Factor.VICTIM, Factor.VICTIMIZER)
    for kind in (Kind.CATEGORY, Kind.NUMBER)
]
