"""Forms of institutions and units."""

from django import forms
from django.utils.translation import gettext_lazy as _

from units.forms.fields import MonthField, territory_field, unit_field
from units.models import Institution, Territory, Unit
from units.permissions import Permission

CODE_HINT = _("Capital letters, digits, dots and hyphens. A code is never changed or used again.")
COVERS_HINT = _("Code of the territory that the unit covers; empty where it covers none.")
MONTH_HINT = _("Year and month, like 2023-05.")


class NamesForm(forms.ModelForm):
    """What a unit is called."""

    class Meta:
        model = Unit
        fields = ["name", "name_en"]


class PlaceForm(forms.Form):
    """Where a unit stands and what it covers, from a month on."""

    def __init__(self, *args, by, institution, unit=None, **kwargs):
        super().__init__(*args, **kwargs)
        managed = Unit.objects.visible_to(by, Permission.MANAGE_UNITS).order_by("code")
        if unit is not None:
            managed = managed.exclude(path__contains=[unit.pk])
        inside = managed.filter(institution=institution) if institution is not None else managed
        if unit is not None and (unit.parent is None or unit.parent.institution_id != unit.institution_id):
            inside = managed  # the head of an institution stands below another institution's unit
        self.fields["parent"] = unit_field(
            inside, label=_("Stands below"), help_text=_("Code of the unit above it."), required=unit is None
        )
        self.fields["territory"] = territory_field(
            Territory.objects.all(), label=_("Covers"), help_text=COVERS_HINT, required=False
        )
        self.fields["from_month"] = MonthField(
            label=_("From month"), help_text=_("The first month in which it is so. Earlier months stay as they were.")
        )

    def clean(self):
        cleaned = super().clean()
        unit_has_parent = self.fields["parent"].required
        if unit_has_parent and "parent" not in cleaned and "parent" not in self.errors:
            self.add_error("parent", self.fields["parent"].error_messages["required"])
        return cleaned


class OpenUnitForm(PlaceForm):
    """A new unit."""

    code = forms.CharField(label=_("Code"), max_length=40, help_text=CODE_HINT)
    name = forms.CharField(label=_("Name"), max_length=160)
    name_en = forms.CharField(label=_("Name in English"), max_length=160, required=False)

    def clean_code(self):
        return self.cleaned_data["code"].upper()


class CloseUnitForm(forms.Form):
    """The end of a unit."""

    to_month = MonthField(
        label=_("Closed from month"),
        help_text=_("The first month in which it no longer stands. Its earlier months and figures stay as they are."),
    )


class InstitutionForm(forms.ModelForm):
    """What an institution is called."""

    class Meta:
        model = Institution
        fields = ["name", "name_en", "short_name"]


class NewInstitutionForm(forms.Form):
    """A new institution and the unit at its head."""

    code = forms.CharField(label=_("Code of the institution"), max_length=24, help_text=CODE_HINT)
    name = forms.CharField(label=_("Name"), max_length=160)
    name_en = forms.CharField(label=_("Name in English"), max_length=160, required=False)
    short_name = forms.CharField(label=_("Short name"), max_length=24)
    root_code = forms.CharField(label=_("Code of the unit at its head"), max_length=40, help_text=CODE_HINT)

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        managed = Unit.objects.visible_to(by, Permission.MANAGE_UNITS).filter(institution__is_state=True)
        self.fields["parent"] = unit_field(
            managed,
            label=_("Stands below"),
            help_text=_("Code of the State's unit whose people also see this institution."),
            required=not by.is_superuser,
        )
        self.fields["territory"] = territory_field(
            Territory.objects.filter(level=0), label=_("Covers"), help_text=COVERS_HINT, required=False
        )
        self.fields["from_month"] = MonthField(label=_("From month"), help_text=MONTH_HINT)

    def clean_code(self):
        return self.cleaned_data["code"].upper()

    def clean_root_code(self):
        return self.cleaned_data["root_code"].upper()
