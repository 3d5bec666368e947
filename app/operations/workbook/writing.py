"""Writes the workbook. What a reader would check stands in it as a formula, with its value beside.

Amounts are whole seconds, so that every sum is exact. A rate that misses its target is rounded
towards the failing side (DESIGN §4): its formula says so, too.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from app.availability.documents import MonthlyDocument, PeriodRow
from app.availability.figures import SCALES
from app.fleet.roster import Grouping
from app.operations.workbook.contents import MonthContents
from app.operations.workbook.sheets import (
    AMOUNTS,
    EXEMPTION_COLUMNS,
    OUTAGE_COLUMNS,
    SHEETS,
    SUSPENSION_COLUMNS,
    Columns,
    exemption_rows,
    facts,
    outage_rows,
    suspension_rows,
)
from app.web.language import Language, message, translations
from kpi.rates import Amounts, Direction, hundredths

TEXT, COUNT, PERCENT, MOMENT = "@", "#,##0", "0.00%", "yyyy-mm-dd hh:mm:ss"
FIRST_ROW = 3
"""Zero-based; above it the title and the headings."""
FORBIDDEN = str.maketrans("[]:*?/\\", "·······")
FIRST_AMOUNT = 3
FIRST_RATE = FIRST_AMOUNT + len(AMOUNTS)
COLUMN_OF = {key: xl_col_to_name(at) for at, (key, _) in enumerate(AMOUNTS, FIRST_AMOUNT)}
ASSESSED = ("intact", "impaired", "offline")


class Rate(NamedTuple):
    """`part` and `whole`: the amounts that are added up; `key`: where its target stands."""

    key: str
    title: str
    part: Sequence[str]
    whole: Sequence[str]


RATES = (
    Rate("intact", message("Intact rate"), ASSESSED[:1], ASSESSED),
    Rate("online", message("Online rate"), ASSESSED[:2], ASSESSED),
    Rate("suspended", message("Suspended rate"), ["suspended"], tuple(COLUMN_OF)),
    Rate("coverage", message("Coverage"), ASSESSED, (*ASSESSED, "unknown")),
)


def write_workbook(
    target: BinaryIO, contents: MonthContents, language: Language, zone: ZoneInfo
) -> None:
    """Write the month as XLSX, in this language; times are local."""
    options = {"in_memory": False, "default_date_format": MOMENT, "remove_timezone": True}
    with xlsxwriter.Workbook(target, options) as book:
        _Writer(book, contents, language, zone).write()


class _Writer:
    def __init__(
        self, book: Any, contents: MonthContents, language: Language, zone: ZoneInfo
    ) -> None:
        self._book, self._contents, self._language, self._zone = book, contents, language, zone
        self._ = translations(language).gettext
        self._bold = book.add_format({"bold": True})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._head = book.add_format(
            {"bold": True, "bg_color": "#E2EEF6", "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        self._forms = {
            form: (
                book.add_format({"num_format": form}),
                book.add_format({"num_format": form, "bold": True, "top": 1}),
            )
            for form in (TEXT, COUNT, PERCENT, MOMENT)
        }

    def write(self) -> None:
        summary = self._sheet("summary")
        last_rows = {grouping: self._figures(grouping) for grouping in self._contents.figures}
        outages = outage_rows(self._contents.outages, self._zone, self._)
        last_outage = self._table("outages", OUTAGE_COLUMNS, outages)
        self._table("suspensions", SUSPENSION_COLUMNS, suspension_rows(self._contents, self._zone))
        if self._contents.exemptions is not None:
            rows = exemption_rows(self._contents.exemptions, self._zone, self._)
            self._table("exemptions", EXEMPTION_COLUMNS, rows)
        self._summary(summary, last_rows, last_outage)

    def _name(self, key: str) -> str:
        """Of a sheet: some characters are forbidden in it."""
        return self._(SHEETS[key]).translate(FORBIDDEN)[:31]

    def _sheet(self, key: str) -> Any:
        sheet = self._book.add_worksheet(self._name(key))
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&R&P / &N")
        sheet.write_string(0, 0, f"{self._contents.month} {self._name(key)}", self._title)
        return sheet

    # A table of rows

    def _table(self, key: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> int:
        """Write rows below their headings; the number of the last one, as Excel counts."""
        sheet = self._sheet(key)
        self._headings(sheet, columns)
        row = FIRST_ROW
        for row, values in enumerate(rows, FIRST_ROW):
            for column, (value, (_, form, _width)) in enumerate(zip(values, columns, strict=True)):
                self._cell(sheet, row, column, value, form)
        return row + 1

    def _headings(self, sheet: Any, columns: Columns) -> None:
        for number, (title, _form, width) in enumerate(columns):
            sheet.write_string(FIRST_ROW - 1, number, self._(title), self._head)
            sheet.set_column(number, number, width)
        sheet.freeze_panes(FIRST_ROW, 2)
        sheet.repeat_rows(FIRST_ROW - 1)

    def _cell(
        self, sheet: Any, row: int, column: int, value: Any, form: str, *, total: bool = False
    ) -> None:
        """Texts are never formulas, whatever they begin with."""
        style = self._forms[form][total]
        if value is None:
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, str):
            sheet.write_string(row, column, value, style)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), style)
        else:
            sheet.write_number(row, column, value, style)

    # The figures of a grouping

    def _figures(self, grouping: Grouping) -> int:
        """A row a group, and their total as sums; the number of the total's row."""
        document = self._contents.figures[grouping]
        sheet = self._sheet(grouping.value)
        self._headings(sheet, self._figure_columns())
        for number, row in enumerate(document.rows):
            self._figure_row(sheet, FIRST_ROW + number, row)
        last = FIRST_ROW + len(document.rows)
        self._total_row(sheet, last, document)
        return last + 1

    def _figure_columns(self) -> Columns:
        named = (("Code", TEXT, 22), ("Name", TEXT, 28), ("Devices", COUNT, 9))
        amounts = tuple((title, COUNT, 14) for _name, title in AMOUNTS)
        return (*named, *amounts, *((rate.title, PERCENT, 10) for rate in RATES))

    def _figure_row(self, sheet: Any, at: int, row: PeriodRow) -> None:
        name = row.name if row.group is not None else self._("none of these")
        for column, value in enumerate((row.group or "", name)):
            self._cell(sheet, at, column, value, TEXT)
        self._cell(sheet, at, 2, row.devices, COUNT)
        for column, (key, _title) in enumerate(AMOUNTS, FIRST_AMOUNT):
            self._cell(sheet, at, column, getattr(row.amounts, key), COUNT)
        self._rates(sheet, at, row.amounts, total=False)

    def _total_row(self, sheet: Any, at: int, document: MonthlyDocument) -> None:
        self._cell(sheet, at, 0, self._("Total"), TEXT, total=True)
        self._cell(sheet, at, 1, None, TEXT, total=True)
        self._cell(sheet, at, 2, document.total.devices, COUNT, total=True)
        amounts = document.total.amounts
        for column, (key, _title) in enumerate(AMOUNTS, FIRST_AMOUNT):
            letter = xl_col_to_name(column)
            formula = f"=SUM({letter}{FIRST_ROW + 1}:{letter}{at})" if document.rows else "=0"
            style = self._forms[COUNT][True]
            sheet.write_formula(at, column, formula, style, getattr(amounts, key))
        self._rates(sheet, at, amounts, total=True)

    def _rates(self, sheet: Any, at: int, amounts: Amounts, *, total: bool) -> None:
        """The four rates as formulas over the row's seconds."""
        style = self._forms[PERCENT][total]
        for column, rate in enumerate(RATES, FIRST_RATE):
            target, direction = _aim(rate.key)
            part, whole = (_expression(names, at + 1) for names in (rate.part, rate.whole))
            formula = rate_formula(part, whole, target, direction)
            sheet.write_formula(at, column, formula, style, _printed(rate, amounts))

    # The summary

    def _summary(self, sheet: Any, last_rows: dict[Grouping, int], last_outage: int) -> None:
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 70)
        row = 2
        for label, text in facts(self._contents, self._):
            sheet.write_string(row, 0, label, self._bold)
            sheet.write_string(row, 1, text)
            row += 1
        row = self._headline(sheet, row + 1, last_rows[Grouping.STATION])
        self._checks(sheet, row + 1, last_rows, last_outage)

    def _headline(self, sheet: Any, row: int, total_row: int) -> int:
        """The rates of all together, as they stand in the total of the stations' sheet."""
        source = self._name(Grouping.STATION.value)
        amounts = self._contents.total.total.amounts
        for at, rate in enumerate(RATES):
            formula = f"='{source}'!{xl_col_to_name(FIRST_RATE + at)}{total_row}"
            sheet.write_string(row + at, 0, self._(rate.title), self._bold)
            style = self._forms[PERCENT][False]
            sheet.write_formula(row + at, 1, formula, style, _printed(rate, amounts))
        return row + len(RATES)

    def _checks(
        self, sheet: Any, row: int, last_rows: dict[Grouping, int], last_outage: int
    ) -> None:
        """Every sheet has the same sums; the outages are what the intact time lacks."""
        amounts = self._contents.total.total.amounts
        station = f"'{self._name(Grouping.STATION.value)}'!"
        total = last_rows[Grouping.STATION]
        for grouping, last in last_rows.items():
            other = f"'{self._name(grouping.value)}'!"
            label = self._("Sums agree: %(sheet)s") % {"sheet": self._name(grouping.value)}
            formula = f"=AND({','.join(f'{other}{c}{last}={station}{c}{total}' for c in 'DEFGHI')})"
            sheet.write_string(row, 0, label, self._bold)
            sheet.write_formula(row, 1, formula, None, True)
            row += 1
        if self._contents.outages.total > len(self._contents.outages.incidents):
            return  # not all of them have room
        sheet.write_string(row, 0, self._("Outages add up to what is missing"), self._bold)
        agrees = amounts.impaired + amounts.offline == self._counted()
        missing = f"{station}E{total}+{station}F{total}"
        sheet.write_formula(row, 1, f"={self._counted_by(last_outage)}={missing}", None, agrees)

    def _counted_by(self, last: int) -> str:
        """The seconds of the outages that nothing excuses."""
        source = f"'{self._name('outages')}'!"
        excuses, seconds = (f"{source}{c}{FIRST_ROW + 1}:{c}{last}" for c in "HE")
        return f'SUMPRODUCT(({excuses}="")*{seconds})'

    def _counted(self) -> int:
        found = self._contents.outages.found
        return int((found.end - found.start)[found.excuse == 0].sum())


def _expression(names: Sequence[str], row: int) -> str:
    """The sum of these amounts in a row."""
    return f"({'+'.join(f'{COLUMN_OF[name]}{row}' for name in names)})"


def _printed(rate: Rate, amounts: Amounts) -> float | str:
    part, whole = (sum(getattr(amounts, name) for name in of) for of in (rate.part, rate.whole))
    value = hundredths(part, whole, *_aim(rate.key))
    return "" if value is None else value / 10_000


def _aim(key: str) -> tuple[Fraction | None, Direction]:
    scale = SCALES.get(key)
    return (None, "at_least") if scale is None else (scale.target, scale.direction)


def rate_formula(part: str, whole: str, target: Fraction | None, direction: Direction) -> str:
    """A rate with four decimals; empty without a whole; a miss is rounded to the failing side."""
    rate = f"{part}/{whole}"
    plain = f"ROUND({rate},4)"
    if target is None:
        return f'=IF({whole}=0,"",{plain})'
    aim = f"{target.numerator}/{target.denominator}"
    if direction == "at_least":
        missed, strict = f"{rate}<{aim}", f"MIN({plain},{aim}-0.0001)"
    else:
        missed, strict = f"{rate}>{aim}", f"MAX({plain},{aim}+0.0001)"
    return f'=IF({whole}=0,"",IF({missed},{strict},{plain}))'
