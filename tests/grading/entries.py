"""Lists what is in a folder or an archive that a student handed in, and reads it into memory. It is hostile.

Nothing is unpacked to disk, no link is followed, and all that is read has a limit. Needs POSIX, for `dir_fd`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

ANSWER_BYTES = 65_536
ARCHIVE_BYTES = 20 * 2**20
UNPACKED_BYTES = 100 * 2**20  # of a .tar.gz or .tar.bz2, which must be unpacked to be listed
ENTRIES = 20_000  # in an archive, or looked at in a folder
NAMES_CHARACTERS = 4_000_000  # of all entries of an archive together
NAME_BYTES = 65_536  # read of a name in a .tar
SHOWN_CHARACTERS = 80

# The last ones are not taken, which needs saying: what unpacks xz can want GiB of memory to do so.
ENDING = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2|tar\.xz|txz|tar\.zst|7z|rar)\Z", re.I)
TARS = {".tar": nullcontext, ".tar.gz": gzip.open, ".tgz": gzip.open, ".tar.bz2": bz2.open, ".tbz2": bz2.open}
FORMATS = "a folder, .zip, .tar, .tar.gz or .tar.bz2"
LAYOUT = "lessons/01_auth_url/answer.py or, at the top, 01_auth_url.py"
AGAIN = "hand in the answers alone, packed again"

FILE, FOLDER, LINK, OTHER = "a file", "a folder", "a link", "a pipe, a socket or a device"
KINDS = {0: FILE, stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}  # 0: packed on Windows
TAR_KINDS = {tarfile.REGTYPE: FILE, tarfile.AREGTYPE: FILE, tarfile.DIRTYPE: FOLDER}
TAR_KINDS |= {tarfile.LNKTYPE: LINK, tarfile.SYMTYPE: LINK}
NO_CONTENT = b"123456"  # the types of links, devices, folders and pipes


class Unreadable(Exception):
    """What was handed in is not taken; the text says why, and can be shown."""


# All that the modules which read archives raise: MemoryError for sizes that lie, RuntimeError for much else.
CANNOT_READ = (Unreadable, OSError, EOFError, ValueError, RuntimeError, OverflowError, MemoryError)
CANNOT_READ += (zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error)


@dataclass(frozen=True)
class Entry:
    """One name in a folder or archive."""

    name: str
    place: tuple[str, ...]  # its folders and itself, in lower case, as some systems see them
    kind: str
    read: Callable[[], bytes]  # gives one byte more than an answer may have, if there are more


def list_entries(path: Path, exercises: Collection[str]) -> list[Entry]:
    """Return what a folder or archive holds, as far as it matters."""
    with opened(path) as file:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            return folder_entries(path, exercises)
    match = ENDING.search(path.name)
    ending = match[0].lower() if match else ""
    if ending != ".zip" and ending not in TARS:
        raise Unreadable(f"{shown(path.name)} is not taken: expected {FORMATS}; hand in one of these")
    content = read_file(path, most=ARCHIVE_BYTES)
    if len(content) > ARCHIVE_BYTES:
        raise too_much(ARCHIVE_BYTES, "bytes")
    return limited(zip_entries(content) if ending == ".zip" else tar_entries(unpack(content, TARS[ending])))


def limited(found: Iterator[Entry]) -> list[Entry]:
    entries, characters = [], 0
    for entry in found:
        entries.append(entry)
        characters += len(entry.name)
        if len(entries) > ENTRIES:
            raise too_much(ENTRIES, "entries")
        if characters > NAMES_CHARACTERS:
            raise too_much(NAMES_CHARACTERS, "characters in names")
    return [entry for entry in entries if entry.place]


def folder_entries(path: Path, exercises: Collection[str]) -> list[Entry]:
    """List a folder, and of the folders in it only those that answers can be in: a fork may hold a .venv."""
    entries = listing(path)
    top = len(wrapper(entries, exercises))
    leading = {answer_place(exercise)[:depth] for exercise in exercises for depth in range(3)}
    for entry in entries:  # which grows
        if entry.kind == FOLDER and entry.place[top:] in leading and not hidden(entry.name):
            try:
                entries += listing(path, *entry.name.split("/"))
            except OSError as error:
                entries.append(replace(entry, kind=f"a folder that cannot be opened ({error.strerror})"))
        if len(entries) > ENTRIES:
            raise too_much(ENTRIES, "entries")
    return entries


def wrapper(entries: list[Entry], exercises: Collection[str]) -> tuple[str, ...]:
    """Return the one folder that everything else is in, if there is one."""
    tops = {entry.place[0] for entry in entries if not hidden(entry.place[0])}
    inside = any(entry.kind == FOLDER or len(entry.place) > 1 for entry in entries if entry.place[0] in tops)
    known = rooms(exercises) | {f"{exercise}.py" for exercise in exercises}
    return tuple(tops) if len(tops) == 1 and inside and not tops & known else ()


def rooms(exercises: Collection[str]) -> set[str]:
    """Return the top folders of a fork that answers can be in."""
    return {"lessons", *(answer_place(exercise)[0] for exercise in exercises)}


def answer_place(exercise: str) -> tuple[str, ...]:
    """Return where the repository has the answer to 01_auth_url, or to an additional one: 03b_pin_login."""
    return ("exercises" if exercise[2].isalpha() else "lessons", exercise, "answer.py")


def listing(path: Path, *steps: str) -> list[Entry]:
    with opened(path, *steps) as folder, os.scandir(folder) as found:
        kinds = sorted((e.name, e.stat(follow_symlinks=False).st_mode) for e in islice(found, ENTRIES + 1))
    entries = []
    for name, mode in kinds:
        place = tuple(step.casefold() for step in (*steps, name))
        read = partial(read_file, path, *steps, name, most=ANSWER_BYTES)
        entries.append(Entry("/".join((*steps, name)), place, kind_of(mode), read))
    return entries


@contextmanager
def opened(path: Path, *steps: str) -> Iterator[int]:
    """Open a path and go down step by step, so that no link is followed, whoever changes things meanwhile."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # which does not wait for a pipe
    file = os.open(path, flags)
    try:
        for step in steps:
            above, file = file, os.open(step, flags, dir_fd=file)
            os.close(above)
        yield file
    finally:
        os.close(file)


def read_file(path: Path, *steps: str, most: int) -> bytes:
    """Read a file that is one, and one byte more than there may be: its size would be a promise."""
    with opened(path, *steps) as file:
        kind = kind_of(os.fstat(file).st_mode)
        if kind != FILE:
            raise Unreadable(f"{shown('/'.join((path.name, *steps)))} is {kind}: expected a file; {AGAIN}")
        with open(file, "rb", closefd=False) as stream:
            return stream.read(most + 1)


def zip_entries(content: bytes) -> Iterator[Entry]:
    if content.count(b"PK\1\2") > ENTRIES:  # each entry has this mark, and ZipFile would list millions
        raise too_much(ENTRIES, "entries")
    archive = zipfile.ZipFile(io.BytesIO(content))
    for info in archive.infolist():
        kind = FOLDER if info.filename.endswith(("/", "\\")) else kind_of(info.external_attr >> 16)
        yield Entry(info.filename, place_of(info.filename), kind, partial(read_zipped, archive, info))


def read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Only these two are unpacked bit by bit: zipfile unpacks bzip2 and LZMA into as much as it comes to.
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"it has a password or a rare compression: expected a plain .zip; {AGAIN}")
    with archive.open(info) as stream:
        return stream.read(ANSWER_BYTES + 1)


def unpack(content: bytes, opener: Callable[[io.BytesIO], Any]) -> bytearray:
    data = bytearray()
    with opener(io.BytesIO(content)) as stream:
        while chunk := stream.read(2**20):
            data += chunk
            if len(data) > UNPACKED_BYTES:
                raise too_much(UNPACKED_BYTES, "bytes, unpacked")
    return data


def tar_entries(data: bytearray) -> Iterator[Entry]:
    """List a tar, header by header; TarFile would take minutes over pax headers made for that."""
    at, name = 0, b""
    while (header := bytes(data[at : at + 512])) != bytes(512):
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        start, size = at + 512, info.size if info.type not in NO_CONTENT else 0
        at = start + -(-size // 512) * 512
        if size < 0:
            raise tarfile.InvalidHeaderError("a size below zero")  # which would lead back, and around
        if info.type == tarfile.GNUTYPE_LONGNAME:
            name = bytes(data[start : start + min(size, NAME_BYTES)]).rstrip(b"\0")
        elif info.type == tarfile.XHDTYPE:
            said = re.search(rb"(?m)^\d+ path=(.+)$", data[start : start + min(size, NAME_BYTES)])
            name = said[1] if said else name
        elif info.type not in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
            path = name.decode("utf-8", "surrogateescape") or info.name
            read = partial(bytes, memoryview(data)[start : start + min(size, ANSWER_BYTES + 1)])
            yield Entry(path, place_of(path), TAR_KINDS.get(info.type, OTHER), read)
            name = b""


def place_of(name: str) -> tuple[str, ...]:
    """Return the folders in a name, and what is in them, at most five; `\\` is a `/` that Windows wrote."""
    path = name.replace("\\", "/")
    steps = path.split("/")
    if ".." in steps or re.match("/|[a-z]:", path, re.I):
        raise Unreadable(f"{shown(name)} leads out of the archive: expected names like {LAYOUT}; {AGAIN}")
    return tuple(step.casefold() for step in steps if step not in ("", "."))[:5]


def kind_of(mode: int) -> str:
    return KINDS.get(stat.S_IFMT(mode), OTHER)


def hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() == "__macosx"


def too_much(limit: int, unit: str) -> Unreadable:
    return Unreadable(f"it has too much: expected at most {limit:,} {unit}; hand in the answers alone")


def shown(text: str) -> str:
    """Return a hostile text in quotes, short, in its own script, and without what turns or hides letters."""
    joiners = "\u200c\u200d"  # in Persian, and in emoji
    safe = (letter if letter.isprintable() or letter in joiners else ascii(letter)[1:-1] for letter in text)
    line = "".join(safe)
    return f'"{line}"' if len(line) <= SHOWN_CHARACTERS else f'"{line[: SHOWN_CHARACTERS - 1]}…"'
