"""Forms of sheets, assignments and targets."""

from django import forms
from django.db.models import Exists, OuterRef
from django.forms.models import fields_for_model
from django.utils.translation import gettext_lazy as _

from indicators.models import Indicator, SheetVersion
from indicators.sheets import reporting_units, units_at
from indicators.spread import Spread
from units.forms.fields import ByCodeField, MonthField, person_field, unit_field
from units.models import Institution, Level, Unit, UnitUserObjectPermission, User
from units.permissions import Permission

# The sheet as people read it: what it measures, of what, how it is judged, from where it starts, who answers for it.
GROUPS = (
    (_("What is measured"), ("name", "name_en", "description", "description_en")),
    (_("What kind it is"), ("hierarchy", "behaviour", "sensitivity", "accumulation", "frequency", "lag_days")),
    (_("Unit"), ("unit_of_measure", "unit_of_measure_en", "decimals")),
    (
        _("How it is computed"),
        (
            "formula",
            "numerator",
            "numerator_source",
            "denominator_kind",
            "denominator",
            "denominator_source",
            "scale",
            "is_count",
        ),
    ),
    (
        _("How it adds up"),
        ("over_units", "over_time", "denominator_over_units", "denominator_over_time"),
    ),
    (_("How it is judged"), ("sense", "tolerance", "light_by")),
    (_("Baseline"), ("baseline_value", "baseline_on", "baseline_source", "baseline_none_because")),
    (_("Who answers for it"), ("responsible", "approver", "evidence_required", "is_entered")),
)
SHEET_FIELDS = tuple(name for _legend, names in GROUPS for name in names)


def people_of(institution):
    """People with a role in an institution's units."""
    grants = UnitUserObjectPermission.objects.filter(user=OuterRef("pk"), content_object__institution=institution)
    return User.objects.filter(Exists(grants), is_active=True).order_by("username")


class SheetForm(forms.Form):
    """A version of an indicator sheet, whole."""

    def __init__(self, *args, institution, version=None, code="", asks_month=True, **kwargs):
        initial = {name: getattr(version, name) for name in SHEET_FIELDS} if version else {}
        super().__init__(*args, initial={**initial, **kwargs.pop("initial", {})}, **kwargs)
        if asks_month:
            self.fields["valid_from"] = MonthField(
                label=_("Valid from month"), help_text=_("The version before it is closed there.")
            )
        self.fields.update(fields_for_model(SheetVersion, SHEET_FIELDS))
        for name in ("responsible", "approver"):
            self.fields[name] = person_field(
                people_of(institution),
                label=SheetVersion._meta.get_field(name).verbose_name,
                help_text=_("Somebody with a role in %(institution)s.") % {"institution": institution},
                required=False,
            )
        for name in ("description", "description_en"):
            self.fields[name].widget.attrs["rows"] = 3
        self.fields["baseline_on"].widget.input_type = "date"
        self.fields["baseline_on"].widget.format = "%Y-%m-%d"
        for field in self.fields.values():
            field.label = str(field.label)[:1].upper() + str(field.label)[1:]
        self.code = code

    @property
    def sheet(self):
        """What was given, as the actions take it."""
        return {name: self.cleaned_data[name] for name in SHEET_FIELDS}

    @property
    def fieldsets(self):
        first = [self[name] for name in ("code", "valid_from") if name in self.fields]
        groups = [(legend, [self[name] for name in names]) for legend, names in GROUPS]
        return [(_("Version"), first), *groups] if first else groups


class NewIndicatorForm(SheetForm):
    """A new indicator, with the first version of its sheet."""

    def __init__(self, *args, institution, **kwargs):
        super().__init__(*args, institution=institution, **kwargs)
        self.fields["code"] = forms.CharField(
            label=_("Code"),
            max_length=40,
            help_text=_("Capital letters and digits, parts joined by dots, as in PN.HOMICIDES. It is never changed."),
        )

    def clean_code(self):
        return self.cleaned_data["code"].upper()


class EndSheetForm(forms.Form):
    """The end of an indicator."""

    valid_to = MonthField(label=_("Ends with month"), help_text=_("The first month in which it is no longer measured."))


# Assignments ---------------------------------------------------------------------------------------------------------

SELF, REPORTING = "self", "reporting"


def which_choices():
    """Which units below one are meant."""
    levels = [(str(value), _("all of level: %(level)s") % {"level": label}) for value, label in Level.choices]
    return [(REPORTING, _("those that report: none stands below them")), (SELF, _("this unit alone")), *levels]


def units_meant(unit, which, month):
    """The units that a form means by a unit and a choice of `which_choices`."""
    if which == SELF:
        return Unit.objects.filter(pk=unit.pk)
    if which == REPORTING:
        return reporting_units(unit, month)
    return units_at(unit, int(which), month)


def planned_units(user):
    """Units in which the person plans."""
    return Unit.objects.visible_to(user, Permission.MANAGE_PLANS)


def indicator_field(user, **options):
    """An indicator of the institutions in which the person plans, by its code."""
    owned = Indicator.objects.filter(institution__in=planned_units(user).values("institution")).order_by("code")
    options.setdefault("label", _("Indicator"))
    return ByCodeField(owned, what=_("indicator"), named=_name_now, **options)


def _name_now(indicator):
    return indicator.code


class AssignmentForm(forms.Form):
    """An indicator and many units at once: below a unit, by level, without some."""

    error_fields = {"units": "below"}

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["indicator"] = indicator_field(by)
        self.fields["below"] = unit_field(
            planned_units(by).order_by("code"), label=_("In the tree of"), help_text=_("Code of a unit.")
        )
        self.fields["which"] = forms.ChoiceField(label=_("Which units"), choices=which_choices, initial=REPORTING)
        self.fields["without"] = forms.CharField(
            label=_("Without these"),
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_("Codes of units to leave out, apart by spaces or commas."),
        )

    def clean(self):
        given = super().clean()
        indicator, below = given.get("indicator"), given.get("below")
        if indicator and below and indicator.institution_id != below.institution_id:
            self.add_error("below", _("The indicator belongs to another institution than the unit."))
        return given

    def units(self, month):
        """The units meant in a month. A code left out that is not among them is an error, not a silence."""
        given = self.cleaned_data
        found = list(units_meant(given["below"], given["which"], month))
        out = {code.upper() for code in given["without"].replace(",", " ").split()}
        unknown = out - {unit.code for unit in found}
        if unknown:
            raise forms.ValidationError(
                {"without": _("%(codes)s: not among the units chosen.") % {"codes": ", ".join(sorted(unknown)[:5])}}
            )
        return [unit for unit in found if unit.code not in out]


class AssignForm(AssignmentForm):
    """From when, and until when, an indicator is due."""

    from_month = MonthField(label=_("From month"))
    to_month = MonthField(
        label=_("Until month"), required=False, help_text=_("The first month in which it is not due; empty for no end.")
    )
    field_order = ("indicator", "below", "which", "without", "from_month", "to_month")


class EndAssignmentForm(AssignmentForm):
    """From when an indicator is no longer due."""

    to_month = MonthField(label=_("Not due from month"), help_text=_("Earlier months stay as they are."))
    field_order = ("indicator", "below", "which", "without", "to_month")


# Targets -------------------------------------------------------------------------------------------------------------

ALONE, CHILDREN = "unit", "children"


class TargetChoiceForm(forms.Form):
    """Which targets: an indicator, a unit or its children, a year."""

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["indicator"] = indicator_field(by)
        self.fields["unit"] = unit_field(planned_units(by).order_by("code"))
        self.fields["of"] = forms.ChoiceField(
            label=_("Of"), choices=[(ALONE, _("the unit")), (CHILDREN, _("the unit and its children"))], required=False
        )
        self.fields["year"] = forms.IntegerField(label=_("Year"), min_value=1990, max_value=2200)

    def clean(self):
        given = super().clean()
        indicator, unit = given.get("indicator"), given.get("unit")
        if indicator and unit and indicator.institution_id != unit.institution_id:
            self.add_error("unit", _("The indicator belongs to another institution than the unit."))
        return given


class SpreadForm(forms.Form):
    """A year's target spread over its months."""

    RULES = [
        (Spread.EQUAL, _("equal: the same every month")),
        (Spread.SEASONAL, _("seasonal: by last year's profile")),
        (Spread.CUMULATIVE, _("cumulative: a part of the way each month")),
    ]
    rule = forms.ChoiceField(label=_("Spread"), choices=RULES)


def institutions_planned(user):
    """Institutions for which the person writes plans: those whose root unit lies in the tree where they plan."""
    from units.access import institutions_in

    return institutions_in(user, Permission.MANAGE_PLANS) if user.is_authenticated else Institution.objects.none()
