"""Importing official files: recognise the format, read it as a stream, write the compact table."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, Unpack

from ntknas.benchmarks import all_sources, table_file, table_path
from ntknas.benchmarks.column_files import is_columns
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.source import Advance, BenchmarkSource, OfficialFormat, Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.spaces import Space, load_space


@dataclass(frozen=True)
class Imported:
    """What an import made.

    Attributes:
        path: The table.
        benchmark: Name of the benchmark.
        cells: Number of cells that have runs.
        size: Number of cells of the space.
        runs: Number of training runs.
        targets: What the files hold values of.
        missing: Number of cells without a value, of the targets that say what stands for none.
    """

    path: Path
    benchmark: str
    cells: int
    size: int
    runs: int
    targets: tuple[Target, ...] = ()
    missing: Mapping[Target, int] = field(default_factory=dict)


def _unseen(total: int, unit: str) -> Advance:
    return lambda count: None


def import_file(path: Path, folder: Path, **options: Unpack[ImportOptions]) -> Imported:
    """Import one official file or folder into a table; see ``import_files``."""
    return import_files([path], folder, **options)


class ImportOptions(TypedDict, total=False):
    """Options of ``import_files``.

    Attributes:
        benchmark: What the files must be; whatever they are without one.
        replace: Whether what is there may be replaced.
        start: Shows progress.
        open_space: Returns a space by name.
    """

    benchmark: str | None
    replace: bool
    start: Start
    open_space: Callable[[str], Space]


def import_files(
    paths: Sequence[Path],
    folder: Path,
    *,
    benchmark: str | None = None,
    replace: bool = False,
    start: Start = _unseen,
    open_space: Callable[[str], Space] = load_space,
) -> Imported:
    """Import official files of one benchmark, or folders, into its table.

    Args:
        paths: The files: one, or several where a benchmark has one for each of its targets, or a folder of these.
        folder: Where tables are kept; the table is named after its benchmark.
        benchmark: What the files must be; whatever they are without one.
        replace: Whether a table that is there, or targets that it has, may be replaced.
        start: Shows progress.
        open_space: Returns a space by name.

    Returns:
        What was made.

    Raises:
        DataError: If a file is missing, not an official one, another benchmark's, damaged or cut off, or its targets
            are there already. Nothing is written then.
    """
    formats = {source: source.official for source in all_sources().values() if source.official is not None}
    read = [
        _read(path, folder, formats, benchmark, replace, start, open_space)
        for path in _files_of(paths, [*formats.values()])
    ]
    name = read[0].source.name
    others = [part for part in read if part.source.name != name]
    if others:
        raise DataError(
            f"These are files of {name} and {others[0].source.name} ({others[0].path}): import one benchmark at a time."
        )
    return write_parts(read, folder, replace)


def write_parts(read: Sequence[Part], folder: Path, replace: bool) -> Imported:
    """Write what was read of a benchmark's files into its table, with what it holds already.

    Args:
        read: What was read, of one benchmark.
        folder: Where tables are kept.
        replace: Whether a table that is there, or targets that it has, may be replaced.

    Returns:
        What was made.

    Raises:
        DataError: If two of them hold one target, or one is there already and may not be replaced.
    """
    name = read[0].source.name
    targets = tuple(target for part in read for target in part.collection.targets)
    collection, sources, size = _together(read, folder, replace)
    table = table_path(name, folder)
    table_file.write(table, collection, sources, size)
    missing = {t: collection.missing(t) for t in targets if t in collection.quantities}
    return Imported(
        table,
        name,
        collection.cells_with_runs,
        collection.cells,
        collection.runs,
        targets,
        {target: count for target, count in missing.items() if count},
    )


@dataclass(frozen=True)
class Part:
    """What was read of one path.

    Attributes:
        path: The path.
        source: The benchmark that it is of.
        collection: What it holds.
        size: Its size in bytes.
    """

    path: Path
    source: BenchmarkSource
    collection: Collection
    size: int

    @property
    def adds(self) -> bool:
        """Whether it adds to what has been imported, as tables of one's own do too."""
        return self.source.official is None or self.source.official.is_part


def _files_of(paths: Sequence[Path], formats: Sequence[OfficialFormat]) -> list[Path]:
    """Return what is to be read: of a folder that is none itself, the parts or the one official file that it holds."""
    return [file for path in paths for file in _held(path, formats) or [path]]


def _held(path: Path, formats: Sequence[OfficialFormat]) -> list[Path]:
    if not path.is_dir() or _is_official(path, formats):
        return []
    inside = [file for file in sorted(path.iterdir()) if file.is_file()]
    parts = [file for file in inside if any(official.is_part and official.recognises(file) for official in formats)]
    whole = [file for file in inside if not parts and _is_official(file, formats)]
    return parts or (whole if len(whole) == 1 else [])  # of several, who asks says which


def _is_official(path: Path, formats: Sequence[OfficialFormat]) -> bool:
    try:
        return any(official.recognises(path) or official.hint(path) for official in formats)
    except DataError:  # a damaged one: who reads it says where
        return True


def _read(
    path: Path,
    folder: Path,
    formats: Mapping[BenchmarkSource, OfficialFormat],
    benchmark: str | None,
    replace: bool,
    start: Start,
    open_space: Callable[[str], Space],
) -> Part:
    if not path.exists():
        raise DataError(f"No such file: {path}. ntknas bench import takes {_texts(formats.values())}.")
    if (hint := _what_to_give(path, formats.values())) is not None:
        raise DataError(f"{path} was not imported: {hint}.")
    meant: Iterable[OfficialFormat] = formats.values()
    try:
        source, official = _recognise(path, formats, benchmark)
        meant = [official]
        if not official.is_part:
            _check_new(source.name, folder, replace)
        collection = official.read(path, open_space(source.space), start)
    except DataError as error:
        advice = f"Expected {_texts(meant)}. Nothing was written: if the file is such a one, fetch it again."
        raise DataError(f"{path} was not imported: {error}. {advice}") from error
    except OSError as error:
        raise DataError(f"Cannot read {error.filename or path}: {error.strerror or error}.") from error
    return Part(path, source, collection, size_of(path))


def _texts(formats: Iterable[OfficialFormat]) -> str:
    return "; ".join(official.text for official in formats)


def _together(read: Sequence[Part], folder: Path, replace: bool) -> tuple[Collection, str, int]:
    """Return what the files hold together, with what was imported before; their names; their size.

    Raises:
        DataError: If two of them hold one target, or one is there already and may not be replaced.
    """
    first = read[0]
    if not first.adds:
        if len(read) > 1:
            raise DataError(f"{first.source.name} is one file, and {read[1].path} is another: give one of them.")
        return first.collection, first.path.name, first.size
    collection, names, size = _merged(read), [part.path.name for part in read], sum(part.size for part in read)
    table = table_path(first.source.name, folder)
    if not table.exists():
        return collection, ", ".join(names), size
    earlier = table_file.TableFile(table, first.source.name)
    held = earlier.collection()
    if held.space != collection.space:
        raise DataError(
            f"{table} holds targets of {held.space}'s cells, and these are of {collection.space}'s: give another name."
        )
    there = [target for target in collection.targets if target in held.targets]
    if there and not replace:
        raise DataError(f"{table} holds {there[0]} already; to read it again, give `replace`. Nothing was written.")
    for target in held.targets:
        if target not in there:
            collection.take(target, held)
    before = [name for name in str(earlier.attributes["source"]).split(", ") if name not in names]
    return collection, ", ".join([*before, *names]), size + int(str(earlier.attributes.get("source_bytes", 0)))


def _merged(read: Sequence[Part]) -> Collection:
    collection = read[0].collection
    for part in read[1:]:
        for target in part.collection.targets:
            try:
                collection.take(target, part.collection)
            except DataError as error:
                raise DataError(f"{part.path} was not imported: {error}. Nothing was written.") from error
    return collection


def _what_to_give(path: Path, formats: Iterable[OfficialFormat]) -> str | None:
    """Return what to give in place of something that only holds, or belongs to, what can be imported."""
    for official in formats:
        if (hint := official.hint(path)) is not None:
            return hint
    if not path.is_dir() and not path.is_file():
        return "it is no regular file"
    if path.is_file() and any(suffix in path.suffixes for suffix in (".tar", ".tgz")):
        return f"it is an archive: unpack it first, tar xf {shlex.quote(str(path))}, and give the folder that comes out"
    return None


def _recognise(
    path: Path, formats: Mapping[BenchmarkSource, OfficialFormat], expected: str | None
) -> tuple[BenchmarkSource, OfficialFormat]:
    """Return the benchmark that a file belongs to, and its format.

    Raises:
        DataError: If it belongs to none, or to another than is expected.
    """
    for source, official in formats.items():
        if official.recognises(path):
            if expected not in (None, source.name):
                raise DataError(f"it is a file of {source.name}, and {expected} was asked for")
            return source, official
    own = "; if it is a table of your own, say so with `name` and `space`" if is_columns(path) else ""
    raise DataError(f"it is none of the official files, or its beginning is damaged{own}")


def _check_new(benchmark: str, folder: Path, replace: bool) -> None:
    table = table_path(benchmark, folder)
    if table.exists() and not replace:
        raise DataError(f"{table} is there already; to read the file again, give `replace`")


def size_of(path: Path) -> int:
    """Return the size of a file, or of all files in a folder, in bytes."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
