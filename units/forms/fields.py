"""Fields that administrators' forms share: months, and units, places and people by their codes, since names repeat."""

import re
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SUGGESTED = 400  # a longer list is typed by code: the page would grow by more than it helps
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?")


class MonthInput(forms.DateInput):
    input_type = "month"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m")


class MonthField(forms.Field):
    """A month as its first day, written 2023-05."""

    widget = MonthInput
    default_error_messages = {"invalid": gettext_lazy("Write the month as year and month, like 2023-05.")}

    def to_python(self, value):
        if value in self.empty_values:
            return None
        if isinstance(value, date):
            return value.replace(day=1)
        found = _MONTH.fullmatch(value.strip())
        try:
            return date(int(found[1]), int(found[2]), 1)
        except (TypeError, ValueError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class Suggestions(forms.TextInput):
    """A text field with a list of codes to choose from. Works without script: the browser's own list."""

    def __init__(self, attrs=None):
        super().__init__({"autocomplete": "off", "spellcheck": "false", **(attrs or {})})
        self.suggested = None

    def render(self, name, value, attrs=None, renderer=None):
        options = list(self.suggested()) if self.suggested else []
        if not options:
            return super().render(name, value, attrs, renderer)
        own = f"{(attrs or {}).get('id', name)}_list"
        field = super().render(name, value, {**(attrs or {}), "list": own}, renderer)
        rows = format_html_join("", '<option value="{}">{}</option>', options)
        return format_html('{}<datalist id="{}">{}</datalist>', field, own, rows)


class ByCodeField(forms.CharField):
    """One object of a queryset, typed as its code. `key` is the code's column, `named` how a suggestion reads."""

    widget = Suggestions
    default_error_messages = {"unknown": gettext_lazy("There is no %(what)s %(code)s that you may choose here.")}

    def __init__(self, queryset, *, key="code", what="", named=None, **options):
        super().__init__(**options)
        self.queryset, self.key, self.what = queryset, key, what
        self.named = named or (lambda one: getattr(one, "local_name", str(one)))

    @property
    def queryset(self):
        return self._queryset

    @queryset.setter
    def queryset(self, queryset):
        self._queryset = queryset
        self.widget.suggested = self._suggestions

    def __deepcopy__(self, memo):
        copy = super().__deepcopy__(memo)
        copy.queryset = self._queryset
        return copy

    def _suggestions(self):
        options = list(self._queryset[: SUGGESTED + 1])
        return [(getattr(one, self.key), self.named(one)) for one in options] if len(options) <= SUGGESTED else []

    def prepare_value(self, value):
        return getattr(value, self.key, value)

    def to_python(self, value):
        text = super().to_python(value)
        if not text:
            return None
        found = self._queryset.filter(**{f"{self.key}__iexact": text}).first()
        if found is None:
            raise ValidationError(self.error_messages["unknown"], "unknown", {"what": self.what, "code": text})
        return found

    def has_changed(self, initial, data):
        return super().has_changed(self.prepare_value(initial), data)


def unit_field(queryset, **options):
    """A unit by its code."""
    options.setdefault("label", _("Unit"))
    return ByCodeField(queryset, what=_("unit"), **options)


def territory_field(queryset, **options):
    """A territory by its code."""
    options.setdefault("label", _("Territory"))
    return ByCodeField(queryset, what=_("territory"), **options)


def person_field(queryset, **options):
    """A person by the name they sign in with."""
    options.setdefault("label", _("Person"))
    return ByCodeField(queryset, key="username", what=_("person"), named=str, **options)
