"""The Celery application; every setting of it is in settings.py under CELERY_."""

import os

from celery import Celery
from celery.signals import before_task_publish, task_postrun, task_prerun, worker_process_init

from scorecard import children, logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scorecard.settings")

app = Celery("scorecard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
before_task_publish.connect(logs.send_id)
task_prerun.connect(logs.take_id)
task_postrun.connect(logs.forget_id)


@worker_process_init.connect
def _die_with_the_worker(**_):
    """A worker that is killed leaves no process of its pool behind; its task is given out again."""
    children.die_with_parent()
