"""A report as a workbook of one sheet, set up for A4 landscape."""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO
from unicodedata import east_asian_width

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from app.tabular.report import Form, Report, ReportColumn, Value
from app.tabular.xlsx_writing import text_cell

_A4 = 9
_MARGIN_IN = 0.5
_NARROWEST, _WIDEST = 8, 32
_TITLE = Font(bold=True, size=14)
_NOTE = Font(color="595959")
_BOLD = Font(bold=True)
_HEADER_FILL = PatternFill("solid", fgColor="E2EEF6")
_LINE = Side(style="thin", color="8A9893")
_BELOW, _ABOVE = Border(bottom=_LINE), Border(top=_LINE)


def write_sheet(target: BinaryIO, report: Report) -> None:
    """Write the workbook: title, a row a fact, an empty one, header, rows, total."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(report.name)
    header_row = len(report.facts) + 3
    _set_up(sheet, report, header_row)
    sheet.append([_styled(text_cell(sheet, report.title), font=_TITLE)])
    for fact in report.facts:
        sheet.append([_styled(text_cell(sheet, text), font=_NOTE) for text in fact])
    sheet.append([])
    sheet.append([_header(sheet, column) for column in report.columns])
    for row in report.rows:
        sheet.append(list(_cells(sheet, report, row)))
    total = _cells(sheet, report, report.total)
    sheet.append([_styled(cell, font=_BOLD, border=_ABOVE) for cell in total])
    book.save(target)


def _set_up(sheet: Any, report: Report, header_row: int) -> None:
    columns = zip(report.columns, *report.rows, report.total, strict=True)
    for number, (column, *shown) in enumerate(columns, 1):
        dimension = sheet.column_dimensions[get_column_letter(number)]
        dimension.width = _width(column, shown)
    sheet.freeze_panes = f"C{header_row + 1}"
    sheet.print_title_rows = f"{header_row}:{header_row}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for side in ("left", "right", "top", "bottom"):
        setattr(sheet.page_margins, side, _MARGIN_IN)
    sheet.oddFooter.right.text = "&P / &N"


def _width(column: ReportColumn, values: Sequence[Value]) -> float:
    """In characters: the widest text, half of the header (which wraps), within bounds."""
    texts = [value for value in values if isinstance(value, str)]
    widest = max([_columns(column.title) / 2, *map(_columns, texts)])
    if column.form is Form.HOURS:
        widest = max(widest, 11)
    return min(max(widest + 2, _NARROWEST), _WIDEST)


def _columns(text: str) -> float:
    """How wide a text is; a Chinese character takes two places."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _header(sheet: Any, column: ReportColumn) -> Any:
    side = "left" if column.form is Form.TEXT else "right"
    alignment = Alignment(horizontal=side, vertical="bottom", wrap_text=True)
    cell = text_cell(sheet, column.title)
    return _styled(cell, font=_BOLD, fill=_HEADER_FILL, border=_BELOW, alignment=alignment)


def _cells(sheet: Any, report: Report, row: Sequence[Value]) -> Iterable[Any]:
    for value, column in zip(row, report.columns, strict=True):
        if isinstance(value, str):
            yield text_cell(sheet, value)
        else:
            cell = WriteOnlyCell(sheet, value)
            cell.number_format = column.form.value
            yield cell


def _styled(cell: Any, **styles: Any) -> Any:
    for name, style in styles.items():
        setattr(cell, name, style)
    return cell
