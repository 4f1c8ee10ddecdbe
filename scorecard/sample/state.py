"""What of the sample a database holds."""

from indicators.models import Batch
from units.models import Institution

KIND = "sample"


def batch_of_sample():
    """The batch on which all that is simulated hangs, or None."""
    return Batch.objects.filter(kind=KIND).first()


def is_loaded():
    """Whether the sample is there, all of it."""
    batch = batch_of_sample()
    return batch is not None and bool(batch.report.get("is_complete"))


def holds_another():
    """Whether there are institutions that the sample did not bring: it is loaded beside none."""
    return batch_of_sample() is None and Institution.objects.exists()
