"""List what is in a student's folder, archive or file, and read it into memory.

All of it is hostile: nothing is unpacked to disk, no link is followed, and every read has a limit.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from posixpath import commonpath, dirname
from typing import IO

ANSWER_BYTES = 65_536
ARCHIVE_BYTES = 20 * 2**20  # of an archive, and again of a .tar.gz when it is unpacked
ENTRIES = 20_000  # in an archive or in the folders that we list. For a .tar, headers count too.
LISTED_BYTES = 4_000_000  # of names and extra fields in a .zip: ZipFile is slow with long ones
HEADER_BYTES = 2_048  # of a header or long name in a .tar: old tarfile modules are slow with longer ones
PAX_HEADERS = 50  # that apply to one entry: for each entry, tarfile copies the headers of the whole archive
WRAPPERS = 8  # folders around everything else

ENDING = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz|tar\.zst|7z|rar)\Z", re.I)
FORMATS = "a folder, .zip, .tar or .tar.gz"  # not the others: unpacking xz can take GiB of memory
HIDDEN = re.compile(r"(^|/)(\.|__macosx|__pycache__)", re.I)
# Answers, lesson files and the commit can be in these folders. In a fork, we list no others, such as .venv.
LISTED = re.compile(
    r"lessons|exercises|((lessons|exercises)/)?\d\d[a-z]*_[^/]+(/models|/resources)?"
    r"|\.git(/refs(/heads(/[^/]+){0,2})?)?"
)

FILE, FOLDER, OTHER = "a file", "a folder", "a link or a special file"
KINDS = {0: FILE, stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER}  # 0: packed on Windows
# ENXIO: a pipe, a socket or a device
STUDENT_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ENXIO)


class Unreadable(Exception):
    """The grader does not accept what a student handed in. The message is for the student."""


class MachineFault(Exception):
    """The operating system cannot read a file. The message is for the instructor."""


@dataclass(frozen=True)
class Entry:
    """One name in a folder or archive."""

    name: str  # its path in the submission, as the student wrote it
    place: str  # the path without wrapping folders, in lower case: some systems ignore case
    kind: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]

    def read(self, limit: int = ANSWER_BYTES) -> bytes:
        """Return the content. Raises Unreadable if this is not a plain file, or larger than the limit."""
        if self.kind != FILE:
            raise Unreadable(f"{quote(self.name)} is {self.kind}. Expected a plain file.")
        with refuse_damaged(), self.open() as stream:
            content = stream.read(limit + 1)
        unit = "bytes in each answer" if limit == ANSWER_BYTES else "bytes in an archive"
        check_limit(len(content), limit, unit)
        return content


def list_entries(path: Path, file_name: str) -> list[Entry]:
    """List a folder, an archive or a file, which the student named `file_name`."""
    with open_nofollow(path) as file:
        is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
    # Moodle puts a student's archive into a folder, so a folder with one archive counts like the archive.
    as_entry = Entry(file_name, file_name.casefold(), FILE, partial(open_file, path))
    entries = list_folder(path) if is_folder else [as_entry]
    tops = [entry for entry in entries if "/" not in entry.place and not HIDDEN.match(entry.place)]
    archives = [entry for entry in tops if entry.kind == FILE and ENDING.search(entry.name)]
    if len(archives) != 1 or any(entry.place == "lessons" for entry in tops):
        return entries
    try:
        inside = list_archive(archives[0].read(ARCHIVE_BYTES))
    except Unreadable:
        if any(entry.place.endswith(".py") for entry in tops):  # an answer beside the archive can be read
            return entries
        raise
    entries.remove(archives[0])
    return entries + inside


def list_folder(path: Path) -> list[Entry]:
    entries = list(list_one_folder(path))
    for _ in range(WRAPPERS):
        tops = [entry for entry in entries if not HIDDEN.match(entry.place)]
        if len(tops) == 1 and tops[0].kind == FOLDER and not LISTED.fullmatch(tops[0].place):
            entries = list(list_one_folder(path, f"{tops[0].name}/"))
    is_fork = any(entry.place == "lessons" for entry in entries)
    for entry in entries:  # the list grows
        is_at_top = not is_fork and "/" not in entry.place and not HIDDEN.match(entry.place)
        if entry.kind == FOLDER and (is_at_top or LISTED.fullmatch(entry.place)):
            entries += list_one_folder(path, f"{entry.name}/", f"{entry.place}/")
        check_limit(len(entries), ENTRIES, "entries")
    return entries


def list_one_folder(path: Path, name: str = "", place: str = "") -> Iterator[Entry]:
    """List the folder `name` of a submission. `name` and `place` end with a slash or are empty."""
    with open_nofollow(path, name) as folder, os.scandir(folder) as found:
        modes = {each.name: each.stat(follow_symlinks=False).st_mode for each in islice(found, ENTRIES + 1)}
    for below, mode in sorted(modes.items()):
        kind = KINDS.get(stat.S_IFMT(mode), OTHER)
        yield Entry(name + below, place + below.casefold(), kind, partial(open_file, path, name + below))


@contextmanager
def open_nofollow(path: Path, name: str = "") -> Iterator[int]:
    """Open a name in a submission step by step, so that no link is followed even if the folders change."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: do not wait for a pipe
    with ExitStack() as stack:
        try:
            file = os.open(path, flags)
            stack.callback(os.close, file)
            for step in filter(None, name.split("/")):
                file = os.open(step, flags, dir_fd=file)
                stack.callback(os.close, file)
            if stat.S_IFMT(os.fstat(file).st_mode) not in KINDS:
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            yield file
        except OSError as error:
            subject = quote(name.rstrip("/")) if name else "The submission"
            if error.errno in STUDENT_ERRORS:
                raise Unreadable(f"{subject} is {OTHER}. Expected {FORMATS}.") from None
            raise MachineFault(f"{subject} cannot be read: {error.strerror}.") from None


@contextmanager
def open_file(path: Path, name: str = "") -> Iterator[IO[bytes]]:
    with open_nofollow(path, name) as file, open(file, "rb", closefd=False) as stream:
        yield stream


def list_archive(content: bytes) -> list[Entry]:
    with refuse_damaged():
        listed = list_zip(content) if content.startswith(b"PK") else list_tar(content)
        entries = list(islice(listed, ENTRIES + 1))
        check_limit(len(entries), ENTRIES, "entries")
    visible = [entry for entry in entries if entry.kind != FOLDER and not HIDDEN.search(entry.place)]
    shared = commonpath([dirname(entry.place) for entry in visible]).split("/") if visible else []
    wrappers = takewhile(lambda step: step and not LISTED.fullmatch(step), shared)
    top = "".join(f"{step}/" for step in wrappers)
    inside = [entry for entry in entries if entry.place.startswith(top)]
    return [replace(entry, place=entry.place.removeprefix(top)) for entry in inside]


@contextmanager
def refuse_damaged() -> Iterator[None]:
    """Raise Unreadable instead of what the modules that read archives raise: they can raise anything."""
    try:
        yield
    except (Unreadable, MachineFault, MemoryError):
        raise
    except Exception as error:
        damage = f"is damaged or has another format: {quote(str(error) or type(error).__name__)}"
        raise Unreadable(f"The archive {damage}. Expected {FORMATS}.") from None


def list_zip(content: bytes) -> Iterator[Entry]:
    check_limit(content.count(b"PK\1\2"), ENTRIES, "entries")  # ZipFile would list millions of these marks
    # The lengths of the name and the extra field follow each mark. One entry can overlap the next mark.
    lengths = re.findall(b"(?=PK\1\2.{24}(..)(..))", content, re.S)
    listed = sum(int.from_bytes(length, "little") for pair in lengths for length in pair)
    check_limit(listed, LISTED_BYTES, "bytes in names and extra fields")
    archive = zipfile.ZipFile(io.BytesIO(content))
    packed = sum(info.compress_size for info in archive.infolist())
    check_limit(packed, len(content), "packed bytes, because entries must not overlap")
    for info in archive.infolist():
        mode = stat.S_IFDIR if info.filename.endswith(("/", "\\")) else info.external_attr >> 16
        kind = KINDS.get(stat.S_IFMT(mode), OTHER)
        # zipfile reads stored and deflated entries in parts. It unpacks bzip2 and LZMA at once, to any size.
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            kind = "protected by a password or compressed in a rare way"
        yield Entry(info.filename, place_of(info.filename), kind, partial(archive.open, info))


def list_tar(content: bytes) -> Iterator[Entry]:
    if content.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        content = unpacker.decompress(content, ARCHIVE_BYTES + 1)
        check_limit(len(content), ARCHIVE_BYTES, "bytes, unpacked")
        if not unpacker.eof:
            raise EOFError("the end is missing")
        if unpacker.unused_data.strip(b"\0"):
            raise ValueError("it has several parts")
    if b"GNU.sparse.major" in content:  # tarfile would parse millions of numbers
        raise ValueError("it has a sparse file")
    with tarfile.open(fileobj=HeaderStream(content), mode="r:") as archive:
        for info in archive:
            check_limit(len(info.pax_headers), PAX_HEADERS, "pax headers")
            kind = FILE if info.isreg() and not info.issparse() else FOLDER if info.isdir() else OTHER
            below = memoryview(content)[info.offset_data : info.offset_data + info.size]
            yield Entry(info.name, place_of(info.name), kind, partial(io.BytesIO, below))
    if any(content[archive.offset : archive.offset + tarfile.BLOCKSIZE]):  # tarfile stopped before the end
        raise tarfile.ReadError("invalid header")


class HeaderStream(io.BytesIO):
    """A .tar of which tarfile may read only headers. tarfile limits neither their number nor their size."""

    headers = 0

    def read(self, size: int | None = -1, /) -> bytes:
        size = ARCHIVE_BYTES if size is None or size < 0 else size
        check_limit(size, HEADER_BYTES, "bytes in a header")
        # To find the end, tarfile reads one byte. A header longer than a block is as slow as 80 short ones.
        self.headers += 80 if size > tarfile.BLOCKSIZE else size > 1
        check_limit(self.headers, ENTRIES, "entries and headers")
        return super().read(size)


def place_of(name: str) -> str:
    """Return a path in an archive in its shortest form. Some programs on Windows write \\ instead of /."""
    path = name.replace("\\", "/")
    steps = path.split("/")
    if ".." in steps or re.match("/|[a-z]:", path, re.I):
        raise Unreadable(f"{quote(name)} leads out of the archive. Expected paths without .. or a leading /.")
    return "/".join(step.casefold() for step in steps if step not in ("", "."))


def check_limit(number: int, limit: int, unit: str) -> None:
    if number > limit:
        advice = f"Expected at most {limit:,} {unit}. Hand in only your answers."
        raise Unreadable(f"The submission has too much in it. {advice}")


def quote(text: str) -> str:
    """Return a hostile text in quotes and short. It keeps letters of every script, but nothing invisible."""
    joiners = "\u200c\u200d"  # Persian and emoji need them
    line = "".join(char if char.isprintable() or char in joiners else ascii(char)[1:-1] for char in text)
    return f'"{line}"' if len(line) <= 80 else f'"{line[:79]}…"'
