"""Who changed what: an append-only event for every insert, update and delete of a dimension, by triggers
(pghistory).
"""

import pghistory


def tracked(**options):
    """Keep the history of a model. Bulk tables (figures, targets) keep theirs in the statement that changes them."""
    return pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), **options)
