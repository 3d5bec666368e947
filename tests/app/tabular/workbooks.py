"""Workbooks for tests, and parts of them changed as no library would write them."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

SHEET = "xl/worksheets/sheet1.xml"
STYLES = "xl/styles.xml"


def workbook(path: Path, *rows: Sequence[Any], change: Callable[[Any], None] | None = None) -> Path:
    """A workbook of one sheet; `change` gets that sheet before it is saved."""
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    if change:
        change(sheet)
    book.save(path)
    return path


def patched(path: Path, part: str, *replacements: tuple[str, str]) -> Path:
    """The workbook with texts of a part replaced; each must be there."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    text = parts[part].decode()
    for old, new in replacements:
        assert old in text, text
        text = text.replace(old, new)
    parts[part] = text.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return path
