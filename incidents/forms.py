"""Forms of event rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.conditions import COLUMNS, variables_by_field
from incidents.models import AlertClass, Category, Channel, EventRule, Measure, Service, Stage, Video
from indicators.models import Indicator
from units.forms.fields import ByCodeField, MonthField
from units.models import Institution

CHOICES = {"service": Service, "channel": Channel, "alert_class": AlertClass, "video": Video}
CONDITIONS_HELP = _(
    "A list as in %(example)s; the codes are those of the dictionary, 0 for not stated. Numbers take “from” and “to”."
)
EXAMPLE = '[{"field": "victim.sex", "in": [2]}, {"field": "service", "in": [1]}]'


def _conditions_field(label):
    return forms.JSONField(
        label=label,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=CONDITIONS_HELP % {"example": EXAMPLE},
    )


class EventRuleForm(forms.Form):
    """Which incidents an indicator counts from a month on."""

    def __init__(self, *args, institutions, **kwargs):
        super().__init__(*args, **kwargs)
        blank = [("", "–")]
        self.fields["indicator"] = ByCodeField(
            Indicator.objects.filter(institution__in=institutions).order_by("code"),
            label=_("Indicator"), what=_("indicator"), named=str,
        )  # fmt: skip
        self.fields["measure"] = forms.ChoiceField(label=_("Measure"), choices=Measure.choices)
        self.fields["category"] = ByCodeField(
            Category.objects.order_by("code"), label=_("Category"), what=_("category"),
            help_text=_("With all categories below it."),
        )  # fmt: skip
        self.fields["source"] = ByCodeField(
            Institution.objects.order_by("code"), label=_("Source"), what=_("institution"), required=False,
            help_text=_("Empty: the incidents of every source."),
        )  # fmt: skip
        self.fields["filter"] = _conditions_field(_("Conditions"))
        self.fields["part"] = _conditions_field(_("Of a share: the part that is counted"))
        for name, label in (("from_stage", _("Minutes from")), ("to_stage", _("Minutes to"))):
            self.fields[name] = forms.ChoiceField(label=label, choices=[*blank, *Stage.choices], required=False)
        self.fields["from_month"] = MonthField(label=_("From month"))
        self.fields["to_month"] = MonthField(
            label=_("Until month"),
            required=False,
            help_text=_("The first month in which it is not due; empty for no end."),
        )

    def clean(self):
        given = super().clean()
        for name in ("filter", "part"):
            if name in given:
                given[name] = given[name] or []
        return given

    @property
    def rule(self):
        return EventRule(**{name: self.cleaned_data[name] for name in self.fields})


class EndRuleForm(forms.Form):
    """The end of an event rule."""

    to_month = MonthField(label=_("Ends with month"), help_text=_("The first month in which it counts no longer."))


def condition_words():
    """(field, what its codes mean) of all that a condition may name."""
    columns = [(name, ", ".join(f"{value} {label}" for value, label in CHOICES[name].choices)) for name in COLUMNS]
    held = sorted(variables_by_field().items())
    variables = [(field, variable.local_name) for field, variable in held if not variable.is_retired]
    return [*columns, *variables]
