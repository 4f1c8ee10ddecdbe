"""Who changed what: a list to filter, and to take away."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scorecard import trail
from units.models import User
from units.permissions import Permission, can_anywhere
from units.tables import Column, Table, respond_with
from units.views.frame import manage_frame

PAGE = 50
PAGES_AT_MOST = 200
EXPORTED = 20_000  # changes of a file; a longer list is asked for in parts


class TrailForm(forms.Form):
    """What to look for."""

    model = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    q = forms.CharField(label=gettext_lazy("Name or code"), required=False, max_length=80)
    person = forms.CharField(
        label=gettext_lazy("Changed by"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    first = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    without_counts = forms.BooleanField(label=gettext_lazy("Without figures counted from events"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = [("", _("everything")), *trail.kinds()]

    def clean_person(self):
        name = self.cleaned_data["person"]
        if not name:
            return None
        found = User.objects.filter(username__iexact=name).first()
        if found is None:
            raise forms.ValidationError(_("Nobody signs in as %(name)s.") % {"name": name})
        return found

    def clean(self):
        given = super().clean()
        first, last = given.get("first"), given.get("last")
        if first and last and first > last:
            self.add_error("last", _("The last day lies before the first."))
        return given

    @property
    def asked(self):
        given = self.cleaned_data
        names = ("model", "q", "person", "first", "last", "without_counts")
        return trail.Asked(*(given[name] for name in names))


def audit(request):
    """Every change in the tree that the person audits, newest first."""
    if not can_anywhere(request.user, Permission.AUDIT):
        raise PermissionDenied(_("Your role does not allow this."))
    form = TrailForm(request.GET or None)
    if form.is_bound and not form.is_valid():
        return render(
            request, "audit/audit.html", {**_frame(request, form), "entries": [], "page": 1, "has_more": False}
        )
    asked = form.asked if form.is_bound else trail.Asked()
    if request.GET.get("format"):
        found, has_more = trail.read(request.user, asked, count=EXPORTED)
        return respond_with(_table(found, form, has_more), request)
    page = _page(request)
    found, has_more = trail.read(request.user, asked, start=(page - 1) * PAGE, count=PAGE)
    context = {**_frame(request, form), "entries": found, "page": page, "has_more": has_more and page < PAGES_AT_MOST}
    return render(request, "audit/audit.html", context)


def _page(request):
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), PAGES_AT_MOST) if text.isdecimal() else 1


def _frame(request, form):
    rest = request.GET.copy()
    for name in ("page", "format"):
        rest.pop(name, None)
    return {**manage_frame(request, "audit"), "form": form, "query": rest.urlencode(), "is_filtered": bool(rest)}


def _table(found, form, has_more):
    """A line a field that changed, so that it can be sorted and filtered elsewhere."""
    columns = [
        Column("at", _("When"), "date"),
        Column("by", _("Who")),
        Column("model", _("What")),
        Column("name", _("Which")),
        Column("kind", _("Change")),
        Column("field", _("Field")),
        Column("before", _("Before")),
        Column("after", _("After")),
        Column("reason", _("Reason")),
    ]
    rows = []
    for change in found:
        about = [change.at, change.by, change.label, change.name, change.kind_word]
        lines = [(f.label, f.before, f.after) for f in change.fields] or [("", "", "")]
        rows += [[*about, *line, change.reason] for line in lines]
    notes = [(str(form[name].label), str(form[name].value())) for name in form.fields if form[name].value()]
    if has_more:
        notes.append((_("Cut off"), _("The newest %(n)s changes; ask for the rest by dates.") % {"n": EXPORTED}))
    return Table(
        _("Who changed what"), columns, rows, notes, id="audit", name=f"changes-{timezone.localdate():%Y-%m-%d}"
    )
