"""Forms of plans and their parts."""

from django import forms
from django.utils.translation import gettext_lazy as _

from indicators.forms import people_of
from indicators.models import Indicator
from scorecard.models import Objective, Perspective, Plan, PlanLine
from units.forms.fields import ByCodeField, person_field


class NewPlanForm(forms.Form):
    """A plan of a year, empty or from another one."""

    def __init__(self, *args, institutions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["institution"] = forms.ModelChoiceField(institutions, label=_("Institution"), empty_label=None)
        self.fields["year"] = forms.IntegerField(label=_("Year"), min_value=1990, max_value=2200)
        self.fields["copied"] = forms.ModelChoiceField(
            Plan.objects.filter(institution__in=institutions).select_related("institution"),
            label=_("Copy from"),
            required=False,
            empty_label=_("an empty plan"),
            help_text=_("Perspectives, objectives, lines, weights and reasons are taken over; targets are not."),
        )

    def clean(self):
        given = super().clean()
        copied, institution = given.get("copied"), given.get("institution")
        if copied and institution and copied.institution_id != institution.pk:
            self.add_error("copied", _("Copy a plan of the same institution."))
        return given


class PerspectiveForm(forms.ModelForm):
    class Meta:
        model = Perspective
        fields = ["name", "name_en"]

    def __init__(self, *args, plan, **kwargs):
        super().__init__(*args, **kwargs)


class ObjectiveForm(forms.ModelForm):
    """Increase or reduce something by means of something."""

    class Meta:
        model = Objective
        fields = [
            "verb",
            "what",
            "what_en",
            "means",
            "means_en",
            "parent",
            "perspective",
            "weight",
            "contributes_to",
            "responsible",
        ]

    def __init__(self, *args, plan, **kwargs):
        super().__init__(*args, **kwargs)
        below = plan.objectives.all()
        if self.instance.pk:
            below = below.exclude(pk=self.instance.pk)
        self.fields["parent"] = forms.ModelChoiceField(
            below, label=_("Stands below"), required=False, empty_label=_("none: at the top")
        )
        self.fields["perspective"] = forms.ModelChoiceField(
            plan.perspectives.all(), label=_("Perspective"), required=False
        )
        above = Objective.objects.filter(plan__institution__is_state=True, plan__year=plan.year).exclude(plan=plan)
        self.fields["contributes_to"] = forms.ModelChoiceField(
            above,
            label=_("Contributes to"),
            required=False,
            help_text=_("An objective of the State's plan of the year."),
        )
        self.fields["responsible"] = person_field(people_of(plan.institution), label=_("Responsible"), required=False)
        self.initial["responsible"] = self.instance.responsible
        self.fields["weight"].help_text = _("Of 100, among objectives and indicators in the same place.")


class LineForm(forms.ModelForm):
    """An indicator under an objective."""

    class Meta:
        model = PlanLine
        fields = ["indicator", "objective", "weight", "no_target_because", "no_baseline_because"]

    def __init__(self, *args, plan, **kwargs):
        super().__init__(*args, **kwargs)
        offered = Indicator.objects.order_by("code")
        if not plan.institution.is_state:
            offered = offered.filter(institution=plan.institution)
        self.fields["indicator"] = ByCodeField(offered, what=_("indicator"), named=str, label=_("Indicator"))
        if self.instance.indicator_id:
            self.initial["indicator"] = self.instance.indicator
        self.fields["objective"] = forms.ModelChoiceField(
            plan.objectives.all(), label=_("Under the objective"), empty_label=None
        )
        self.fields["weight"].help_text = _("Of 100, among objectives and indicators in the same place.")
        self.fields["no_target_because"].help_text = _("The reason stands in the plan for everyone to read.")


class WeightsForm(forms.Form):
    """Weights of everything in one place of the plan."""

    def __init__(self, *args, node, **kwargs):
        super().__init__(*args, **kwargs)
        self.parts = {}
        items = [(item.number, item.line, item.line.indicator.code) for item in node.lines]
        items += [(child.number, child.objective, str(child.objective)) for child in node.children]
        for number, part, name in items:
            key = f"w-{type(part).__name__.lower()}-{part.pk}"
            self.parts[key] = part
            self.fields[key] = forms.FloatField(
                label=f"{number} {name}",
                min_value=0,
                max_value=100,
                localize=True,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "data-weight": "", "size": 7}),
            )
            self.initial[key] = part.weight

    @property
    def weights(self):
        return {part: self.cleaned_data[key] for key, part in self.parts.items()}
