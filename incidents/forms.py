"""Forms of event rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.condition_words import ConditionsField
from incidents.models import Category, EventRule, Measure, Stage
from indicators.models import Indicator
from units.forms.fields import ByCodeField, MonthField
from units.models import Institution


def _conditions_field(label):
    return ConditionsField(
        label=label,
        required=False,
        help_text=_("One a line, several values parted by semicolons: %(example)s")
        % {"example": _("Victim: Sex = Woman")},
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

    @property
    def rule(self):
        return EventRule(**{name: self.cleaned_data[name] for name in self.fields})


class EndRuleForm(forms.Form):
    """The end of an event rule."""

    to_month = MonthField(label=_("Ends with month"), help_text=_("The first month in which it counts no longer."))
