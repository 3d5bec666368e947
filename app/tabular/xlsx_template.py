"""A workbook to fill in: header, an example, drop-downs, and a sheet that explains each column."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.tabular.table import EXAMPLE
from app.tabular.xlsx_writing import TEXT_FORMAT

LAST_ROW = 10_000
"""Drop-downs reach so far."""

_DATE_FORMAT = "yyyy-mm-dd"
_NOTES, _CHOICES = "说明", "选项"
_RULES = (
    "红色表头为必填列，其余各列可空可删；表头文字请勿改动。",
    f"编码以“{EXAMPLE}”开头的行是示例，导入时跳过；填写时可以覆盖或删除。",
    "编码等列已设为文本格式：从别处粘贴时请选“只粘贴数值”，以免长编码变成科学计数。",
    "不要合并单元格；同一文件里只放一张这样的表。",
)
_REQUIRED = PatternFill("solid", fgColor="F8CBAD")
_OPTIONAL = PatternFill("solid", fgColor="D9E1F2")
_PALE = Font(italic=True, color="808080")


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column: its header, an example, what to write. `choices` make a drop-down.

    With `closed` no other text than these may be typed. The example's type is the column's: text,
    number or day.
    """

    title: str
    example: str | float | date
    note: str
    required: bool = False
    choices: Sequence[str] = ()
    closed: bool = True


def write_template(target: BinaryIO, title: str, columns: Sequence[TemplateColumn]) -> None:
    """Write the workbook; its first sheet has this title and is the one that an import reads."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = title
    choices = book.create_sheet(_CHOICES)
    choices.sheet_state = "hidden"
    for number, column in enumerate(columns, 1):
        _write_column(sheet, number, column)
        if column.choices:
            _add_drop_down(sheet, choices, number, column)
    sheet.freeze_panes = "B2"
    _explain(book.create_sheet(_NOTES, index=1), columns)
    book.save(target)


def _write_column(sheet: Any, number: int, column: TemplateColumn) -> None:
    header = sheet.cell(1, number, column.title)
    header.fill = _REQUIRED if column.required else _OPTIONAL
    header.font = Font(bold=True, color="C00000" if column.required else "000000")
    dimension = sheet.column_dimensions[get_column_letter(number)]
    dimension.width = max(12, 2 * len(column.title) + 4, len(str(column.example)) + 4)
    dimension.number_format = _format(column.example)
    example = sheet.cell(2, number, column.example)
    example.number_format = _format(column.example)
    example.font = _PALE


def _format(example: str | float | date) -> str:
    if isinstance(example, date):
        return _DATE_FORMAT
    return TEXT_FORMAT if isinstance(example, str) else "General"


def _add_drop_down(sheet: Any, choices: Any, number: int, column: TemplateColumn) -> None:
    letter = get_column_letter(number)
    for row, choice in enumerate(column.choices, 1):
        choices.cell(row, number, choice).data_type = "s"  # no formula, whatever it begins with
    listed = f"'{_CHOICES}'!${letter}$1:${letter}${len(column.choices)}"
    validation = DataValidation(
        "list",
        formula1=listed,
        allow_blank=True,
        showErrorMessage=column.closed,
        errorTitle=column.title,
        error="请从下拉列表中选择",
    )
    validation.add(f"{letter}2:{letter}{LAST_ROW}")
    sheet.add_data_validation(validation)


def _explain(notes: Any, columns: Sequence[TemplateColumn]) -> None:
    for rule in _RULES:
        notes.append([rule])
    notes.append([])
    notes.append(["列名", "必填", "怎么填"])
    for cell in notes[notes.max_row]:
        cell.font = Font(bold=True)
    for column in columns:
        notes.append([column.title, "必填" if column.required else "可空", column.note])
        notes.cell(notes.max_row, 3).alignment = Alignment(wrap_text=True, vertical="top")
    for letter, width in (("A", 16), ("B", 8), ("C", 80)):
        notes.column_dimensions[letter].width = width
