"""Files that were uploaded and wait for a person's word: kept by their digest, named by a signed token."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from units.files import FileError

SALT = "imports"
KEPT = 86400  # seconds
SUFFIXES = (".csv", ".txt", ".xlsx", ".xlsm", ".xls")


@dataclass(frozen=True)
class Upload:
    """A file that a person sent: what it is to be read as, its own name, and where it lies."""

    kind: str
    name: str
    digest: str
    user_id: int

    @property
    def path(self) -> Path:
        return folder() / f"{self.digest}{_suffix(self.name)}"

    @property
    def token(self) -> str:
        said = {"k": self.kind, "n": self.name, "d": self.digest, "u": self.user_id}
        return signing.dumps(said, salt=SALT, compress=True)


def folder() -> Path:
    path = Path(settings.MEDIA_ROOT) / "imports"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _suffix(name):
    found = Path(name).suffix.lower()
    return found if found in SUFFIXES else ".csv"


def keep(*, user, kind, file, now) -> Upload:
    """Keep an uploaded file until its person has decided. FileError where it is too large or empty."""
    name = Path(file.name).name[:120]
    if file.size > settings.MAX_IMPORT_BYTES:
        size, limit = (f"{n / 2**20:.0f}" for n in (file.size, settings.MAX_IMPORT_BYTES))
        figures = {"name": name, "size": size, "limit": limit}
        message = _("%(name)s has %(size)s MB; a file may have %(limit)s MB. Split it and send the parts.")
        raise FileError("too_large", message % figures)
    _forget_old(now)
    digest = hashlib.sha256(f"{user.pk}|".encode())
    part = folder() / f"{user.pk}-{time.monotonic_ns()}.part"
    with part.open("wb") as target:
        for chunk in file.chunks():
            digest.update(chunk)
            target.write(chunk)
    upload = Upload(kind, name, digest.hexdigest(), user.pk)
    part.replace(upload.path)
    return upload


def recall(user, token) -> Upload | None:
    """The upload that a token names, if it is this person's and still there."""
    try:
        said = signing.loads(token, salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        return None
    upload = Upload(said["k"], said["n"], said["d"], said["u"])
    return upload if upload.user_id == user.pk and upload.path.is_file() else None


def _forget_old(now):
    """Files that nobody decided on within a day."""
    limit = now.timestamp() - KEPT
    for path in folder().iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
