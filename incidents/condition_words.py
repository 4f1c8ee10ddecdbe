"""Conditions of event rules as people read and write them, one a line.

    Victim: Sex = Woman; Man
    Victim: Age = 0 to 17

Names may be those of either language, with or without accents and capitals, or the dictionary's keys and codes.
"""

import re
from collections import defaultdict

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from incidents.conditions import COLUMNS, variables_by_field
from incidents.layout import plain
from incidents.models import AlertClass, Channel, Factor, Incident, Kind, Service, VariableCode, Video
from indicators.models import Sensitivity

CHOICES = {"service": Service, "channel": Channel, "alert_class": AlertClass, "video": Video}
FEW = 12  # values that are listed where one is not known
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
BETWEEN, AT_LEAST, AT_MOST = {"TO", "A", "-", "–"}, {"OR MORE", "O MAS", "+"}, {"OR LESS", "O MENOS"}


class Book:
    """All that conditions may name, and the values of each, in the reader's language. Two queries."""

    def __init__(self):
        self.variables = variables_by_field()
        self.labels = {name: _named(Incident._meta.get_field(name).verbose_name) for name in COLUMNS}
        self.values = {name: {0: _("not stated"), **dict(CHOICES[name].choices)} for name in COLUMNS}
        self.written = defaultdict(dict)  # field: {as it is compared: code}
        for field, variable in self.variables.items():
            self.labels[field] = f"{_named(Factor(variable.factor).label)}: {variable.local_name}"
        self._read_codes()
        for field, values in self.values.items():
            for code, name in values.items():
                self.written[field].setdefault(plain(str(name)), code)

    def _read_codes(self):
        fields = {variable.pk: field for field, variable in self.variables.items() if variable.kind == Kind.CATEGORY}
        self.values |= {field: {0: _("not stated")} for field in fields.values()}
        for one in VariableCode.objects.order_by("code"):
            field = fields[one.variable_id]
            self.values[field][one.code] = one.local_name
            for name in filter(None, (one.label, one.name, one.name_en)):
                self.written[field].setdefault(plain(name), one.code)

    def offered(self):
        """(label, values or None where it is a number) of what a new condition may name."""
        for field, label in self.labels.items():
            variable = self.variables.get(field)
            if variable is None or not (variable.is_retired or variable.sensitivity == Sensitivity.RESERVED):
                yield label, list(self.values[field].values()) if field in self.values else None

    # Out ----------------------------------------------------------------------------------------------------------

    def line(self, condition):
        """One condition in words."""
        field = condition["field"]
        label = self.labels.get(field, field)
        if "in" in condition:
            values = self.values.get(field, {})
            return f"{label} = {'; '.join(str(values.get(code, code)) for code in condition['in'])}"
        return f"{label} = {_bounds_words(condition)}"

    def text(self, conditions):
        return "\n".join(map(self.line, conditions))

    # In -----------------------------------------------------------------------------------------------------------

    def read(self, text):
        """Conditions as data. ValidationError names each line that is none, and why."""
        found, problems = [], []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    found.append(self._condition(line))
                except ValidationError as error:
                    said = {"number": number, "problem": error.messages[0]}
                    problems.append(_("Line %(number)d: %(problem)s") % said)
        if problems:
            raise ValidationError(problems)
        return found

    def _condition(self, line):
        left, sign, right = line.partition("=")
        if not sign or not right.strip():
            raise ValidationError(_("it needs an equals sign between the variable and its values."))
        field = self._field(left)
        if field in self.values:
            return {"field": field, "in": [self._code(field, value) for value in right.split(";") if value.strip()]}
        return {"field": field, **_bounds(right)}

    def _field(self, written):
        wanted = plain(written)
        for field, label in self.labels.items():
            variable = self.variables.get(field)
            factors = [variable.factor, Factor(variable.factor).label] if variable else []
            names = [variable.name, variable.name_en] if variable else []
            spelt = [field, label, *(f"{factor}: {name}" for factor in factors for name in names)]
            if wanted in map(plain, spelt):
                return field
        raise ValidationError(_("there is no variable “%(field)s”.") % {"field": written.strip()})

    def _code(self, field, written):
        code = self.written[field].get(plain(written))
        if code is None and written.strip().isdecimal() and int(written) in self.values[field]:
            code = int(written)
        if code is None:
            said = {"value": written.strip(), "variable": self.labels[field]}
            problem = _("“%(value)s” is no value of “%(variable)s”.") % said
            if len(self.values[field]) <= FEW:
                names = "; ".join(map(str, self.values[field].values()))
                problem += " " + _("Its values are: %(names)s.") % {"names": names}
            raise ValidationError(problem)
        return code


def _named(label):
    label = str(label)
    return label[:1].upper() + label[1:]


def _bounds_words(condition):
    low, high = condition.get("from"), condition.get("to")
    if high is None:
        return _("%(low)s or more") % {"low": f"{low:g}"}
    if low is None:
        return _("%(high)s or less") % {"high": f"{high:g}"}
    return f"{low:g}" if low == high else _("%(low)s to %(high)s") % {"low": f"{low:g}", "high": f"{high:g}"}


def _bounds(written):
    numbers = [float(one.replace(",", ".")) for one in NUMBER.findall(written)]
    numbers = [int(one) if one.is_integer() else one for one in numbers]
    rest = plain(NUMBER.sub(" ", written))
    if len(numbers) == 2 and rest in BETWEEN:
        return {"from": numbers[0], "to": numbers[1]}
    if len(numbers) == 1 and rest in AT_LEAST:
        return {"from": numbers[0]}
    if len(numbers) == 1 and rest in AT_MOST:
        return {"to": numbers[0]}
    if len(numbers) == 1 and not rest:
        return {"from": numbers[0], "to": numbers[0]}
    raise ValidationError(_("it is a number: write its bounds, as in “0 to 17” or “18 or more”."))


class ConditionsField(forms.CharField):
    """Conditions, one a line; empty for none."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value):
        return Book().text(value) if isinstance(value, list) else value

    def clean(self, value):
        text = super().clean(value)
        return Book().read(text) if text else []
