from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScorecardConfig(AppConfig):
    name = "scorecard"
    verbose_name = _("scorecard")
    default_auto_field = "django.db.models.AutoField"

    def ready(self):
        """Tasks belong to our Celery application. Not in __init__: the streams of open pages run without it."""
        from scorecard import celery  # noqa: F401
