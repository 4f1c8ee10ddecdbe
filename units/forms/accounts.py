"""Forms of service accounts and their tokens."""

from datetime import timedelta

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from units.access import institutions_in
from units.forms.people import grantable_anywhere, role_choices
from units.models import User
from units.permissions import Permission, Role

# What another system may be: it sends, it reads incidents, or it reads figures.
ROLES = (Role.INTEGRATOR, Role.ANALYST, Role.VIEWER)
LIVES = {30: _("30 days"), 90: _("90 days"), 180: _("180 days"), 365: _("365 days")}


class NewAccountForm(forms.Form):
    """A service account of an institution whose people one manages as a whole."""

    institution = forms.ModelChoiceField(None, label=_("Institution"), to_field_name="code")
    username = forms.CharField(
        label=_("Name of the account"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _ only. It is never changed."),
        validators=[UnicodeUsernameValidator()],
    )
    name = forms.CharField(
        label=_("What it is"), max_length=150, help_text=_("The system that will use it: emergency feed, statistics.")
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = institutions_in(by, Permission.MANAGE_PEOPLE).order_by("code")
        held = grantable_anywhere(by)
        self.fields["role"] = forms.ChoiceField(
            label=_("Role"),
            choices=role_choices([role for role in ROLES if role in held]),
            widget=forms.RadioSelect,
            help_text=_("It holds the role in the institution's head unit, and so in all units below it."),
        )

    def clean_username(self):
        username = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("Somebody signs in with this name already."))
        return username


class TokenForm(forms.Form):
    """A new token: what for, and until when."""

    name = forms.CharField(label=_("What it is for"), max_length=80, help_text=_("Server, person or place of use."))
    days = forms.TypedChoiceField(
        label=_("Ends after"), coerce=int, choices=list(LIVES.items()), initial=90, empty_value=None
    )
    error_fields = {"expires_at": "days"}

    def expires_at(self, now):
        return now + timedelta(days=self.cleaned_data["days"])
