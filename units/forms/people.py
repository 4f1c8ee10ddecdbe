"""Forms of people and grants."""

from django import forms
from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from units.forms.fields import unit_field
from units.models import Unit, User
from units.people import VERBS, may_give
from units.permissions import Permission, Role

LANGUAGES = [("", _("the site's")), *settings.LANGUAGES]
ROLE_WORDS = {
    Role.VIEWER: _("sees scorecards, sheets and plans"),
    Role.REPORTER: _("enters figures"),
    Role.APPROVER: _("enters and approves figures, approves plans"),
    Role.ANALYST: _("reads incidents one by one"),
    Role.UNIT_ADMINISTRATOR: _("opens units and appoints people"),
    Role.AUDITOR: _("reads who changed what"),
    Role.INTEGRATOR: _("sends figures from another system"),
    Role.ADMINISTRATOR: _("manages units, people, sheets, plans and targets"),
}


class PersonForm(forms.ModelForm):
    """What an account says of its person."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "title", "email", "language"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].required = True


def role_choices(roles):
    """Roles with what each allows."""
    return [(role, f"{role.label.capitalize()}: {ROLE_WORDS[role]}") for role in roles]


class GrantForm(forms.Form):
    """A role in a unit, of those that the administrator may give."""

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        managed = Unit.objects.visible_to(by, Permission.MANAGE_PEOPLE).order_by("code")
        self.fields["role"] = forms.ChoiceField(
            label=_("Role"), choices=role_choices(grantable_anywhere(by)), widget=forms.RadioSelect
        )
        self.fields["unit"] = unit_field(
            managed, help_text=_("Code of the unit. The role holds there and in all units below it.")
        )


def grantable_anywhere(by):
    """Roles that the person may give in some unit. One query; each grant is checked again in its unit."""
    if by.is_superuser:
        return list(Role)
    from units.permissions import roles_of

    verbs = [VERBS[role] for role, _unit in roles_of(by)]
    together = set().union(*verbs) if verbs else set()
    return [role for role in Role if may_give(together, role)]


class NewPersonForm(GrantForm):
    """A new account with its first role, so that it belongs somewhere from the start."""

    username = forms.CharField(
        label=_("Name to sign in with"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _ only. It is never changed."),
        validators=[UnicodeUsernameValidator()],
    )
    first_name = forms.CharField(label=_("First name"), max_length=150)
    last_name = forms.CharField(label=_("Last name"), max_length=150)
    title = forms.CharField(label=_("Post"), max_length=160, required=False)
    email = forms.EmailField(label=_("Email"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    def clean_username(self):
        username = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("Somebody signs in with this name already."))
        return username
