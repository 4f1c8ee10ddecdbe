"""Events as institutions send them: read, checked, placed and taken, each once, whatever is sent again.

`receive` is the one way in: of the API, of large bodies taken in later, and of what is fetched from a source.
"""

from incidents.feed.decode import BodyError
from incidents.feed.outcome import Outcome
from incidents.feed.receive import receive

__all__ = ["BodyError", "Outcome", "receive"]
