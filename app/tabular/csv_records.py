"""CSV, in UTF-8 or in GB18030 (of which GBK and GB2312 are parts): what Excel writes in China."""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.errors import Remedy
from app.tabular.columns import SAVE_AS
from app.tabular.records import CannotRead, Record
from app.tabular.values import clean

UTF_8, GB18030 = "utf-8-sig", "gb18030"
_BLOCK = 1 << 20


class CsvRecords:
    """Comma-separated records; a quoted cell may run over several lines."""

    exact = True

    def __init__(self, source: BinaryIO, path: Path) -> None:
        self._source = source
        self._path = path
        self._size = max(1, path.stat().st_size)
        self.encoding = encoding_of(source)
        self._text = io.TextIOWrapper(source, encoding=self.encoding, newline="")

    def __iter__(self) -> Iterator[Record]:
        row = 0
        try:
            for row, cells in enumerate(csv.reader(self._text, strict=True), 1):
                yield Record(row, [clean(cell) for cell in cells], cells, _fault(cells))
        except UnicodeDecodeError:
            raise CannotRead(
                _undecodable_row(self._path),
                Remedy("is neither UTF-8 nor GB18030; %(how)s", how=SAVE_AS),
            ) from None
        except csv.Error as error:
            remedy = Remedy("cannot be read (%(why)s); check the quotation marks", why=str(error))
            raise CannotRead(row + 1, remedy) from None

    def progress(self) -> tuple[int, int]:
        return self._source.tell(), self._size


def encoding_of(source: BinaryIO) -> str:
    """UTF-8, or GB18030 where the content says so; leaves the file at its beginning.

    Damaged UTF-8 often passes for GB18030, and reads as nonsense then. So a file is GB18030 only
    where all of it can be, and where more of its lines speak against UTF-8 than for it.
    """
    try:
        if _decodes(source, "utf-8") or not _decodes(source, GB18030):
            return UTF_8
        source.seek(0)
        votes = sum(_vote(line) for line in source)
        return GB18030 if votes > 0 else UTF_8
    finally:
        source.seek(0)


def _decodes(source: BinaryIO, encoding: str) -> bool:
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := source.read(_BLOCK):
            if b"\x00" in block:  # UTF-16, which GB18030 seldom forbids
                return encoding == "utf-8"
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _vote(line: bytes) -> int:
    if line.isascii():
        return 0
    try:
        line.decode()
    except UnicodeDecodeError:
        return 1
    return -1


def _fault(cells: list[str]) -> str:
    if any("\x00" in cell for cell in cells):  # no database stores it
        return Remedy("holds a zero character; %(how)s", how=SAVE_AS)
    return ""


def _undecodable_row(path: Path) -> int:
    """The first row with bytes that are not UTF-8 (found anew: decoding runs ahead of the rows)."""
    with path.open(encoding=UTF_8, errors="surrogateescape", newline="") as text:
        row = 0
        try:
            for row, cells in enumerate(csv.reader(text), 1):
                if any("\udc80" <= char <= "\udcff" for cell in cells for char in cell):
                    return row
        except (csv.Error, UnicodeDecodeError):
            pass
        return row + 1
