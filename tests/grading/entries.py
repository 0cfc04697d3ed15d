"""List what is in a student's folder, archive or file, and read it into memory.

All of it is hostile: nothing is unpacked to disk, no link is followed, and every read has a limit.
"""

from __future__ import annotations

import bz2
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
from itertools import islice
from pathlib import Path
from typing import IO, Any

ANSWER_BYTES = 65_536
ARCHIVE_BYTES = 20 * 2**20  # of an archive, and again of a .tar.gz or .tar.bz2 when it is unpacked
ENTRIES = 20_000  # in an archive or in the folders that we list. For a .tar, headers count too.
NAMES_CHARACTERS = 4_000_000  # of all entries of an archive together
LONGEST_HEADER = 2_048  # bytes of a header or long name in a .tar: for n, older tarfile modules need n² time
LONG_HEADERS = 2**19  # bytes of all headers together that are longer than a block
EXTRA_BYTES = 2**20  # of all extra fields in a .zip: for n in one entry, ZipFile needs n² time
WASTED_BYTES = 2**20  # of a .tar.gz or .tar.bz2 that may unpack to nothing, because that takes seconds
WRAPPERS = 8  # folders around everything else

ENDING = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz|tar\.zst|7z|rar)\Z", re.I)
FORMATS = "a folder, .zip, .tar, .tar.gz or .tar.bz2"  # not the others: unpacking xz can take GiB of memory
HIDDEN = re.compile(r"(^|/)(\.|__macosx|__pycache__)", re.I)
# Answers, lesson files and the commit can be in these folders. In a fork, we list no others, such as .venv.
LISTED = re.compile(
    r"lessons|exercises|((lessons|exercises)/)?\d\d[a-z]*_[^/]+(/models|/resources)?"
    r"|\.git(/refs(/heads(/[^/]+){0,2})?)?"
)

FILE, FOLDER, OTHER = "a file", "a folder", "a link or a special file"
LOCKED = "protected by a password or compressed in a rare way"
KINDS = {0: FILE, stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER}  # 0: packed on Windows
STUDENT_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO)  # ENXIO: a socket


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
        check_limit(len(content), limit, "bytes in each answer or archive")
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
    entries.remove(archives[0])
    return entries + list_archive(archives[0].read(ARCHIVE_BYTES))


def list_folder(path: Path) -> list[Entry]:
    entries = list_one_folder(path)
    for _ in range(WRAPPERS):
        if wrapper := find_wrapper(entries):
            entries = list_one_folder(path, f"{wrapper.name}/")
    is_fork = any(entry.place == "lessons" for entry in entries)
    for entry in entries:  # the list grows
        is_at_top = not is_fork and "/" not in entry.place and not HIDDEN.match(entry.place)
        if entry.kind == FOLDER and (is_at_top or LISTED.fullmatch(entry.place)):
            entries += list_one_folder(path, f"{entry.name}/", f"{entry.place}/")
        check_limit(len(entries), ENTRIES, "entries")
    return entries


def list_one_folder(path: Path, name: str = "", place: str = "") -> list[Entry]:
    """List the folder `name` of a submission. `name` and `place` end with a slash or are empty."""
    with open_nofollow(path, name) as folder, os.scandir(folder) as found:
        modes = {each.name: each.stat(follow_symlinks=False).st_mode for each in islice(found, ENTRIES + 1)}
    entries = []
    for below, mode in sorted(modes.items()):
        kind, opener = KINDS.get(stat.S_IFMT(mode), OTHER), partial(open_file, path, name + below)
        entries.append(Entry(name + below, place + below.casefold(), kind, opener))
    return entries


def find_wrapper(entries: list[Entry]) -> Entry | None:
    """Return an entry if one folder contains everything else. It is that folder, or something in it."""
    visible = [entry for entry in entries if not HIDDEN.match(entry.place)]
    tops = {entry.place.partition("/")[0] for entry in visible}
    has_files = any(entry.kind != FOLDER and entry.place in tops for entry in visible)
    return None if len(tops) != 1 or has_files or LISTED.fullmatch(tops.pop()) else visible[0]


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
            yield file
        except OSError as error:
            subject = quote(name.rstrip("/")) if name else "The submission"
            if error.errno in STUDENT_ERRORS:
                raise Unreadable(f"{subject} is {OTHER}. Expected {FORMATS}.") from None
            raise MachineFault(f"{subject} cannot be read: {error.strerror}.") from None


@contextmanager
def open_file(path: Path, name: str = "") -> Iterator[IO[bytes]]:
    with open_nofollow(path, name) as file:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        with open(file, "rb", closefd=False) as stream:
            yield stream


def list_archive(content: bytes) -> list[Entry]:
    entries, characters = [], 0
    with refuse_damaged():
        for entry in list_zip(content) if content.startswith(b"PK") else list_tar(content):
            entries.append(entry)
            characters += len(entry.name)
            check_limit(len(entries), ENTRIES, "entries")
            check_limit(characters, NAMES_CHARACTERS, "characters in names")
    entries = [entry for entry in entries if entry.place]
    for _ in range(WRAPPERS):
        if wrapper := find_wrapper(entries):
            top = wrapper.place.partition("/")[0] + "/"
            inside = [entry for entry in entries if entry.place.startswith(top)]
            entries = [replace(entry, place=entry.place.removeprefix(top)) for entry in inside]
    return entries


@contextmanager
def refuse_damaged() -> Iterator[None]:
    """Raise Unreadable instead of what the modules that read archives raise: they can raise anything."""
    try:
        yield
    except (Unreadable, MachineFault, MemoryError):
        raise
    except Exception as error:
        reason = quote(str(error) or type(error).__name__)
        advice = f"Expected {FORMATS}."
        raise Unreadable(f"The archive is damaged or has another format: {reason}. {advice}") from None


def list_zip(content: bytes) -> Iterator[Entry]:
    check_limit(content.count(b"PK\1\2"), ENTRIES, "entries")  # ZipFile would list millions of these marks
    lengths = re.findall(b"PK\1\2.{26}(..)", content, re.S)  # of the extra field of each entry
    extra = sum(int.from_bytes(length, "little") for length in lengths)
    check_limit(extra, EXTRA_BYTES, "bytes in extra fields")
    archive = zipfile.ZipFile(io.BytesIO(content))
    packed = sum(info.compress_size for info in archive.infolist())
    check_limit(packed, len(content), "packed bytes, because entries must not overlap")
    for info in archive.infolist():
        mode = stat.S_IFDIR if info.filename.endswith(("/", "\\")) else info.external_attr >> 16
        kind = KINDS.get(stat.S_IFMT(mode), OTHER)
        # zipfile unpacks only these two piece by piece. It unpacks bzip2 and LZMA to any size at once.
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            kind = LOCKED
        yield Entry(info.filename, place_of(info.filename), kind, partial(open_packed, archive, info))


def open_packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    check_limit(info.compress_size, 2 * ANSWER_BYTES, "packed bytes in each answer")
    return archive.open(info)


def list_tar(content: bytes) -> Iterator[Entry]:
    data = content
    if content.startswith(b"\x1f\x8b"):
        data = unpack(content, zlib.decompressobj(wbits=31))
    elif content.startswith(b"BZh"):
        data = unpack(content, bz2.BZ2Decompressor())
    with tarfile.open(fileobj=HeaderStream(data), mode="r:") as archive:
        for info in archive:
            kind = FILE if info.isreg() and not info.issparse() else FOLDER if info.isdir() else OTHER
            below = memoryview(data)[info.offset_data : info.offset_data + info.size]
            yield Entry(info.name, place_of(info.name), kind, partial(io.BytesIO, below))
    if any(data[archive.offset : archive.offset + tarfile.BLOCKSIZE]):  # tarfile stopped before the end
        raise tarfile.ReadError("invalid header")


def unpack(content: bytes, unpacker: Any) -> bytes:
    """Unpack a .tar.gz or .tar.bz2 in pieces, with limits."""
    data = bytearray()
    for start in range(0, len(content), 2**14):
        data += unpacker.decompress(content[start : start + 2**14], ARCHIVE_BYTES + 1)
        check_limit(len(data), ARCHIVE_BYTES, "bytes, unpacked")
        check_limit(start - len(data), WASTED_BYTES, "bytes that unpack to nothing")
        if unpacker.eof:
            if (unpacker.unused_data + content[start + 2**14 :]).strip(b"\0"):
                raise ValueError("it has several parts")
            return bytes(data)
    raise EOFError("the end is missing")


class HeaderStream(io.BytesIO):
    """A .tar of which tarfile may read only headers. tarfile limits neither their number nor their size."""

    headers = long_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise tarfile.ReadError("a size below 0")
        self.headers += size > 1  # tarfile reads one byte to find the end
        self.long_bytes += size if size > tarfile.BLOCKSIZE else 0
        check_limit(self.headers, ENTRIES, "entries and headers")
        check_limit(size, LONGEST_HEADER, "bytes in a header")
        check_limit(self.long_bytes, LONG_HEADERS, "bytes in headers")
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
    safe = (letter if letter.isprintable() or letter in joiners else ascii(letter)[1:-1] for letter in text)
    line = "".join(safe)
    return f'"{line}"' if len(line) <= 80 else f'"{line[:79]}…"'
