"""The folder of one taskforce: what its slots get, what they send back, and what a successor of this process must know."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import TaskforceDocument
from ewms.tms.backend import Submitted
from ewms.tms.backends._htcondor_submission import CARRIED, CONFIG, OUTPUT
from ewms.tms.folder import write_private
from ewms.tms.uploads import placed

_RECORD = "submission.json"
_IN_THE_SLOT = "."


class _Submission(msgspec.Struct):
    submitted: Submitted
    files: dict[str, str]
    """Name to sha256."""
    wall_time: float | None
    grace: float


class TaskforceFolder:
    """For its owner only: the configuration of pilots holds credentials."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lay_out(
        self, taskforce: TaskforceDocument, config: PilotConfig, files: Mapping[str, Path], submitted: Submitted
    ) -> None:
        """Write everything, before the taskforce is submitted."""
        shutil.rmtree(self.path / CARRIED, ignore_errors=True)
        for name in ("", CARRIED, OUTPUT):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, source in files.items():
            _carry(source, self.path / CARRIED / name)
        submission = _Submission(submitted, taskforce.pilot.files, taskforce.worker.max_runtime, config.grace)
        write_private(self.path / _RECORD, msgspec.json.encode(submission))
        self._write_config(config, submission)

    def refresh(self, config: PilotConfig) -> None:
        """Replace the configuration; nothing if the taskforce was never submitted from here."""
        submission = self._read()
        if submission is not None:
            self._write_config(config, submission)

    def recall(self) -> Submitted | None:
        """What it was submitted as; None if nobody knows."""
        submission = self._read()
        return None if submission is None else submission.submitted

    def grace(self) -> float:
        """Seconds that its pilots may take to end."""
        submission = self._read()
        return 0.0 if submission is None else submission.grace

    def _write_config(self, config: PilotConfig, submission: _Submission) -> None:
        config = placed(config, submission.files, _IN_THE_SLOT)
        if config.wall_time is None:
            config = config.model_copy(update={"wall_time": submission.wall_time})
        write_private(self.path / CONFIG, config.model_dump_json().encode())

    def _read(self) -> _Submission | None:
        try:
            return msgspec.json.decode((self.path / _RECORD).read_bytes(), type=_Submission)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None


def _carry(source: Path, target: Path) -> None:
    """Have a file there too, without a second copy of its content where the file system can do that."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
