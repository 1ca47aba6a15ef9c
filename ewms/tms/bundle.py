"""A pilot as one executable file, for slots that share nothing with us: they need a Python of the same minor version.

Put together by shiv from what is installed here, without any network. A few lines of shell in front of it look for a Python
that fits, and say in one line what is missing where there is none.
"""

from __future__ import annotations

import compileall
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from py_compile import PycInvalidationMode

from ewms import __version__
from ewms.core.errors import EwmsError, UsageError
from ewms.tms.bundle_contents import Glibc, closure, copy_code, copy_distribution, glibc_needed

_ENTRY = "ewms.pilot.__main__:run"
_HEADER = """\
#!/bin/sh
# The pilot of ewms {version}: needs {needs}.
PATH="${{PATH:-/usr/local/bin:/usr/bin:/bin}}"
export PATH
unset PYTHONPATH PYTHONHOME
# Unpacked once; never into a folder that another user could have made before us.
root="${{_CONDOR_SCRATCH_DIR:-${{HOME:+$HOME/.cache}}}}"
export SHIV_ROOT="${{SHIV_ROOT:-${{root:-$(mktemp -d)}}/.ewms-bundle}}"
for python in "$EWMS_PYTHON" python{minor} python3 python /usr/bin/python{minor} /usr/local/bin/python{minor}; do
    [ -n "$python" ] && "$python" -c '
import platform, sys
glibc = [int(part) for part in platform.libc_ver()[1].split(".")[:2] if part.isdigit()]
fits = (platform.python_implementation(), sys.version_info[:2], platform.machine()) == {python}
sys.exit(not (fits and glibc >= {glibc}))
' 2>/dev/null && exec "$python" -s "$0" "$@"
done
echo "ewms pilot: this slot lacks {needs} ($(uname -sm), python3: $(python3 -V 2>&1 | head -n 1))" >&2
exit 127
"""


class Bundle:
    """What a bundle is to hold.

    Parameters
    ----------
    distributions
        What consumers need beside `ewms`, as for pip; everything that they depend on goes with them.
    code
        Folders whose modules are importable on the slot.

    Raises
    ------
    UsageError
        The tools to make one are not installed.
    InputError
        A distribution is not installed as one.
    """

    def __init__(self, distributions: Sequence[str] = (), code: Sequence[Path] = ()) -> None:
        missing = [name for name in ("shiv", "packaging") if find_spec(name) is None]
        if missing:
            raise UsageError(f"{' and '.join(missing)} make bundles and are not installed; pip install 'ewms[bundle]'")
        self.distributions = closure(distributions)
        """All of them."""
        self._code = code
        self._glibc: Glibc = glibc_needed(self.distributions)

    @property
    def needs(self) -> str:
        """What a slot must have, in words."""
        major, minor = self._glibc
        libc = f" with glibc {major}.{minor} or newer" if major else ""
        return f"CPython {_minor()} on {platform.system()} {platform.machine()}{libc}"

    def write(self, target: Path) -> None:
        """Write the file, as a whole or not at all; `InputError` if some code cannot be copied."""
        with tempfile.TemporaryDirectory(prefix="ewms-bundle-") as name:
            folder = Path(name)
            contents = folder / "contents"
            contents.mkdir()
            for installed in self.distributions:
                copy_distribution(installed, contents)
            for code in self._code:
                copy_code(code, contents)
            archive = folder / "archive"
            _pack(contents, archive)
            _add_compiled(contents, archive)
            draft = target.with_name(target.name + ".draft")
            draft.write_bytes(self._header().encode() + archive.read_bytes().partition(b"\n")[2])
            draft.chmod(0o755)
            draft.replace(target)

    def _header(self) -> str:
        fitting = (platform.python_implementation(), sys.version_info[:2], platform.machine())
        # Inside a shell's single quotes.
        python = repr(fitting).replace("'", '"')
        return _HEADER.format(
            version=__version__,
            needs=self.needs,
            minor=_minor(),
            python=python,
            glibc=list(self._glibc if self._glibc[0] else ()),
        )


def _minor() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _pack(contents: Path, archive: Path) -> None:
    command = [sys.executable, "-m", "shiv", "--site-packages", str(contents), "--entry-point", _ENTRY]
    command += ["--extend-pythonpath", "--reproducible", "--compressed", "--output-file", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EwmsError(f"shiv could not make the bundle: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def _add_compiled(contents: Path, archive: Path) -> None:
    """Shiv leaves compiled modules out; with them a pilot starts in half the time."""
    compileall.compile_dir(contents, quiet=2, stripdir=str(contents), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(contents.rglob("*.pyc")):
            file.write(path, Path("site-packages") / path.relative_to(contents))
