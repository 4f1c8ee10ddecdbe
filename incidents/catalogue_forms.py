"""Forms of the dictionary."""

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.models import KEY, Category, Factor, Kind, VariableCode
from indicators.models import Sensitivity
from units.forms.fields import ByCodeField

KINDS = [(kind.value, kind.label) for kind in (Kind.CATEGORY, Kind.NUMBER)]
SENSITIVE = _("Reserved is told only in the tree of the institution that it comes from; no indicator is made of it.")


def _names(fields, longest=160):
    fields["name"] = forms.CharField(label=_("Name"), max_length=longest)
    fields["name_en"] = forms.CharField(label=_("Name in English"), max_length=longest, required=False)


class VariableForm(forms.Form):
    """A new variable. Its key, factor and kind stay for ever."""

    factor = forms.ChoiceField(label=_("Factor"), choices=Factor.choices)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, help_text=_("A category has codes; a number has none."))
    key = forms.CharField(
        label=_("Key"), max_length=40, validators=[KEY],
        help_text=_("Small letters, digits and underscores, as feeds write it. It is never changed or used again."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _names(self.fields)
        self.fields["sensitivity"] = forms.ChoiceField(
            label=_("Sensitivity"), choices=Sensitivity.choices, initial=Sensitivity.INTERNAL, help_text=SENSITIVE
        )


class ChangeVariableForm(forms.Form):
    """Names and sensitivity of a variable."""

    def __init__(self, *args, variable, **kwargs):
        names = ("name", "name_en", "sensitivity")
        super().__init__(*args, initial={name: getattr(variable, name) for name in names}, **kwargs)
        _names(self.fields)
        self.fields["sensitivity"] = forms.ChoiceField(
            label=_("Sensitivity"), choices=Sensitivity.choices, help_text=SENSITIVE
        )


class CodeForm(forms.Form):
    """A new code of a variable."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _names(self.fields)
        self.fields["label"] = forms.CharField(
            label=_("As written in files"), max_length=160, required=False,
            help_text=_("Capitals without accents; empty: as the name."),
        )  # fmt: skip
        self.fields["code"] = forms.IntegerField(
            label=_("Code"), required=False, min_value=1, help_text=_("Empty: the next one.")
        )


class NamesForm(forms.Form):
    """What a code is called."""

    def __init__(self, *args, named: VariableCode, **kwargs):
        super().__init__(*args, initial={"name": named.name, "name_en": named.name_en}, **kwargs)
        _names(self.fields)


class CategoryForm(forms.Form):
    """A new kind of event."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["parent"] = ByCodeField(
            Category.objects.order_by("code"), label=_("Below"), what=_("category"), required=False,
            help_text=_("Empty: at the top. Rules of the category above count its events too."),
        )  # fmt: skip
        self.fields["code"] = forms.CharField(
            label=_("Code"), max_length=24,
            help_text=_("Capital letters, digits, dots and hyphens. A code is never changed or used again."),
        )  # fmt: skip
        _names(self.fields)
        self.fields["iccs"] = forms.CharField(label=_("ICCS class"), max_length=12, required=False)


class ChangeCategoryForm(forms.Form):
    """What a kind of event is called, and its class."""

    def __init__(self, *args, category, **kwargs):
        super().__init__(
            *args, initial={name: getattr(category, name) for name in ("name", "name_en", "iccs")}, **kwargs
        )
        _names(self.fields)
        self.fields["iccs"] = forms.CharField(label=_("ICCS class"), max_length=12, required=False)
