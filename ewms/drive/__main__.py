"""`python -m ewms.drive SETTINGS.json`: a driver host as a process. The file is for its owner only: it holds credentials."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from pydantic import ValidationError

from ewms.core.errors import EwmsError, InputError, UsageError
from ewms.drive.serving import serve_as_process
from ewms.drive.settings import HostSettings

_log = logging.getLogger("ewms.drive")


def main(arguments: list[str]) -> int:
    """Run a driver host; its exit code. What goes wrong is one line on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        if len(arguments) != 1:
            raise UsageError("usage: python -m ewms.drive SETTINGS.json")
        serve_as_process(read_settings(Path(arguments[0])))
    except EwmsError as error:
        _log.error("host_ended reason=%s", error)
        return error.exit_code
    return 0


def read_settings(path: Path) -> HostSettings:
    """The settings; `InputError` naming the key that is wrong, but no value, which may be a secret."""
    try:
        return HostSettings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"the driver host's settings {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(f"the driver host's settings {path} are wrong: {place}: {first['msg']}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
