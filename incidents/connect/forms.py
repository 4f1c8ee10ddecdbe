"""Forms of connectors."""

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.connect.models import Connector, Paging
from incidents.feed.laid_out import names
from incidents.layout import load
from units.forms.fields import ByCodeField


class ConnectorForm(forms.ModelForm):
    """What a connector reads, and how. The secret has a page of its own."""

    class Meta:
        model = Connector
        fields = (
            "url", "header", "layout", "items_path", "paging", "cursor_parameter", "cursor_path", "every_seconds",
        )  # fmt: skip
        help_texts = {
            "url": _(
                "http or https, with the parameters that never change. Another address is read from its beginning."
            ),
            "header": _("The header in which the secret is sent. The secret is given on a page of its own."),
            "items_path": _("Names with dots between; empty: the answer itself, or incidents, items, results, data."),
            "cursor_parameter": _("Parameter of the address; empty: cursor, or page."),
            "cursor_path": _("Names with dots between; empty: next_cursor, or next."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        layouts = [(name, str(load(name).title)) for name in names()]
        self.fields["layout"] = forms.ChoiceField(
            label=_("Layout"), required=False, choices=[("", _("the fields of the feed")), *layouts]
        )
        self.fields["paging"] = forms.ChoiceField(label=_("Paging"), choices=Paging.choices, initial=Paging.CURSOR)
        self.fields["url"].widget.input_type = "url"

    def _post_clean(self):
        """The action checks the whole connector, and says by field what is wrong."""


class NewConnectorForm(ConnectorForm):
    """A new connector: whose events it brings, and what it is called."""

    def __init__(self, *args, institutions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["institution"] = ByCodeField(
            institutions.order_by("code"), label=_("Institution"), what=_("institution"), key="code"
        )
        self.fields["name"] = forms.CharField(
            label=_("Name"), max_length=40, help_text=_("Small letters, digits and hyphens; it stays.")
        )
        self.order_fields(["institution", "name", *self.Meta.fields])

    def clean_name(self):
        name = self.cleaned_data["name"]
        if Connector.objects.filter(name=name).exists():  # its account would be refused under a name nobody typed
            raise forms.ValidationError(_("There is a connector of this name already: choose another."))
        return name


class SecretForm(forms.Form):
    """The secret of a connector: written, never read."""

    secret = forms.CharField(
        label=_("Secret"),
        max_length=500,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("As the header takes it, such as: Bearer 1a2b. Empty: none is sent. It is shown to nobody again."),
    )
