"""Pure Python that a host is lent for the terminal's tests: pexpect and what it needs, as one zip file."""

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("pexpect", "ptyprocess")


def zipped() -> bytes:
    """The sources of PACKAGES as they are installed here."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in PACKAGES:
            spec = find_spec(name)
            assert spec is not None, f"{name} is not installed: it belongs to the dependencies of the tests"
            assert spec.origin is not None
            for source in sorted(Path(spec.origin).parent.glob("*.py")):
                archive.write(source, f"{name}/{source.name}")
    return made.getvalue()
