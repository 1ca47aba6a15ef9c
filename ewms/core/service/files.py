"""A file's document: what was uploaded for a workflow, or came of it. Its content lies elsewhere, under its sha256."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

CODE = "code/"
"""Prefix of uploads that are importable."""
INPUTS = "inputs/"
"""Prefix of uploads that are inputs."""
CONTEXT = "context/"
"""Prefix of files that are given to tasks: uploaded, or named by the application."""
PRODUCT = "product/"
"""Prefix of files of the product."""
PARTIAL = "partial/"
"""Prefix of files of a partial product, which there is while the workflow runs."""


class FileDocument(BaseModel):
    """One file of a workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow_id: str
    """Whose it is."""
    name: str
    """Relative path, with its prefix."""
    size: int
    """Bytes."""
    sha256: str
    """Of its content, in hexadecimal digits: where the content lies."""

    @property
    def key(self) -> str:
        """Its key in the store."""
        return file_key(self.workflow_id, self.name)


def file_key(workflow_id: str, name: str) -> str:
    """The key of a workflow's file."""
    return f"{workflow_id}/{name}"
