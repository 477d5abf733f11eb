"""A module's bytecode: kept whole or not at all, and made anew where it is damaged.

bin/contain calls this for a module whose bytecode is missing, old or damaged; no other launch loads it. Python's own way
(importlib, `_write_atomic`, as of 3.11) does not look at what write(2) answers: what a file-size limit or a full disk left of
a module was renamed into place, and from then on every launch ended in `EOFError: marshal data too short`.

Loaded before any other module of the package, and so without `linux`.
"""

import posix
from _frozen_importlib_external import cache_from_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import SourceFileLoader
    from types import CodeType


def write(loader: "SourceFileLoader", path: str, data: bytes) -> None:
    """Write the file `path`, in place of `SourceFileLoader.set_data`. It is only a cache, so that no error is raised."""
    part = f"{path}.{posix.getpid()}"
    try:
        posix.mkdir(path.rpartition("/")[0], 0o755)
    except OSError:
        pass
    try:
        if fill(part, data):
            posix.rename(part, path)
        else:
            posix.unlink(part)
    except OSError:
        forget(part)


def fill(path: str, data: bytes) -> bool:
    """Make the file `path` with `data` in it; False if there was no room for all of it. Raises OSError."""
    fd = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o644)
    try:
        return posix.write(fd, data) == len(data)
    finally:
        posix.close(fd)


def heal(loader: "SourceFileLoader", name: str) -> "CodeType":
    """The code of module `name`, from its source; its bytecode is damaged and goes, so that the next launch writes it anew."""
    path = loader.get_filename(name)
    code: CodeType = loader.source_to_code(loader.get_data(path), path)
    forget(cache_from_source(path))
    return code


def forget(path: str) -> None:
    """Remove a file, if it is there and can be removed."""
    try:
        posix.unlink(path)
    except OSError:
        pass
