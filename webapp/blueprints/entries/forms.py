"""A file of entries."""

from __future__ import annotations

from webapp.services.imports import UploadEntries
from webapp.web.uploads import FileForm


class UploadForm(FileForm[UploadEntries]):
    """A file for one reward."""

    command = UploadEntries
