from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.database import Database
from app.errors import ImportRefused, RowProblem
from app.evidence.suspensions import import_suspensions, read_bound
from app.evidence.tables import Suspension, SuspensionVersion
from app.fleet.importing import import_devices
from app.fleet.touched import DeviceDays
from app.tabular import ImportResult

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_770_000_000
HEADER = "device_code,from,to,reason,approved_by,document\n"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp())


@dataclass
class Book:
    """The suspension register of one test."""

    database: Database
    settings: Settings
    folder: Path
    now: int = NOW
    touched: list[DeviceDays] = field(default_factory=list)

    def load(self, content: str, **options: Any) -> ImportResult:
        path = self.folder / "suspensions.csv"
        path.write_text(content, encoding="utf-8")
        self.touched = []
        return import_suspensions(
            self.database, self.settings, path, now=self.now, on_touched=self._note, **options
        )

    def refused(self, content: str) -> list[RowProblem]:
        with pytest.raises(ImportRefused) as caught:
            self.load(content)
        return caught.value.problems

    def spans(self) -> list[tuple[date, date | None]]:
        return [(days.first, days.last) for days in self.touched]

    def rows(self) -> list[Suspension]:
        with self.database.read() as session:
            return list(session.scalars(select(Suspension).order_by(Suspension.start)))

    def versions(self) -> list[SuspensionVersion]:
        with self.database.read() as session:
            order = select(SuspensionVersion).order_by(SuspensionVersion.version)
            return list(session.scalars(order))

    def _note(self, _session: Session, days: Sequence[DeviceDays]) -> None:
        self.touched += days


@pytest.fixture
def book(database: Database, settings: Settings, tmp_path: Path) -> Book:
    register = tmp_path / "register.csv"
    register.write_text("code,name,address\nC1,Gate,10.0.0.1\nC2,Yard,10.0.0.2\n")
    import_devices(database, settings, register, today=date(2026, 1, 1), on_touched=lambda *_: None)
    return Book(database, settings, tmp_path)


def test_a_bare_date_covers_its_day(book: Book) -> None:
    content = HEADER + "C1,2026-02-01,2026-02-03,Road works,Office,No. 5\nC2,2026/3/1,,x,y,\n"
    assert book.load(content) == ImportResult(2, 0, 0)
    first, second = book.rows()
    assert (first.start, first.end) == (at("2026-02-01"), at("2026-02-04"))
    assert (first.reason, first.approved_by, first.document) == ("Road works", "Office", "No. 5")
    assert (first.version, first.recorded_at) == (1, NOW)
    assert (second.start, second.end, second.document) == (at("2026-03-01"), None, None)
    assert book.spans() == [
        (date(2026, 2, 1), date(2026, 2, 3)),
        (date(2026, 3, 1), None),
    ]


def test_reads_chinese_headers(book: Book) -> None:
    book.load("\ufeff设备编码,报停开始,报停结束,原因,批准人,文件\nC1,2026-02-01,,市政施工,王,5号\n")
    (row,) = book.rows()
    assert (row.reason, row.approved_by, row.document) == ("市政施工", "王", "5号")


def test_the_same_file_again_changes_nothing(book: Book) -> None:
    content = HEADER + "C1,2026-02-01,2026-02-03,Works,Office,\nC2,2026-03-01 08:00,,x,y,d\n"
    book.load(content)
    assert book.load(content) == ImportResult(0, 0, 2)
    assert book.touched == []
    assert book.versions() == []


def test_the_same_key_updates_and_keeps_the_old_version(book: Book) -> None:
    book.load(HEADER + "C1,2026-02-01,,Works,Office,\n")
    book.now += 10
    assert book.load(HEADER + "C1,2026-02-01,2026-02-03,Works,Office,\n") == ImportResult(0, 1, 0)
    assert book.spans() == [(date(2026, 2, 1), None)]
    book.now += 10
    same_start = HEADER + "C1,2026-02-01T00:00+08:00,2026-02-03,Pipes,Office,No. 6\n"
    assert book.load(same_start) == ImportResult(0, 1, 0)
    assert book.touched == []
    (row,) = book.rows()
    assert (row.version, row.reason, row.document, row.recorded_at) == (
        3,
        "Pipes",
        "No. 6",
        NOW + 20,
    )
    assert [
        (old.version, old.end, old.reason, old.recorded_at, old.suspension_id)
        for old in book.versions()
    ] == [(1, None, "Works", NOW, row.id), (2, at("2026-02-04"), "Works", NOW + 10, row.id)]


@pytest.mark.parametrize(
    ("before", "after", "touched"),
    [
        ("2026-02-03", "2026-02-10", (date(2026, 2, 1), date(2026, 2, 10))),
        ("2026-02-10", "2026-02-03", (date(2026, 2, 1), date(2026, 2, 10))),
        ("2026-02-10", "", (date(2026, 2, 1), None)),
        ("2026-02-03 00:00", "2026-02-02", (date(2026, 2, 1), date(2026, 2, 2))),
    ],
)
def test_touches_the_days_before_and_after(
    book: Book, before: str, after: str, touched: tuple[date, date | None]
) -> None:
    book.load(HEADER + f"C1,2026-02-01,{before},x,y,\n")
    result = book.load(HEADER + f"C1,2026-02-01,{after},x,y,\n")
    if before == "2026-02-03 00:00":  # the same instant, written in another way
        assert (result, book.touched) == (ImportResult(0, 0, 1), [])
    else:
        assert book.spans() == [touched]


def test_an_absent_document_column_leaves_the_document(book: Book) -> None:
    book.load(HEADER + "C1,2026-02-01,,x,y,No. 5\n")
    short = "device_code,from,to,reason,approved_by\nC1,2026-02-01,,x,y\n"
    assert book.load(short) == ImportResult(0, 0, 1)
    assert book.load(short.replace(",x,", ",z,")) == ImportResult(0, 1, 0)
    assert book.rows()[0].document == "No. 5"


def test_dry_run_writes_nothing(book: Book) -> None:
    assert book.load(HEADER + "C1,2026-02-01,,x,y,\n", dry_run=True) == ImportResult(1, 0, 0)
    assert (book.rows(), book.touched) == ([], [])


@pytest.mark.parametrize(
    ("line", "column", "value", "remedy"),
    [
        (",2026-02-01,,x,y,", "device_code", "", "must not be empty"),
        ("C9,2026-02-01,,x,y,", "device_code", "C9", "import the device first"),
        ("C2,,,x,y,", "from", "", "must not be empty"),
        ("C2,soon,,x,y,", "from", "soon", "write YYYY-MM-DD or YYYY-MM-DD HH:MM"),
        ("C2,2026-02-30,,x,y,", "from", "2026-02-30", "no day of the calendar"),
        ("C2,2026-02-01 24:00,,x,y,", "from", "2026-02-01 24:00", "from 00:00 to 23:59"),
        ("C2,2026-02-01,2026-01-31,x,y,", "to", "2026-01-31", "must be after from (2026-02-01)"),
        ("C2,2026-02-01,2026-02-01 00:00,x,y,", "to", "2026-02-01 00:00", "must be after from"),
        ("C2,2026-02-01,,,y,", "reason", "", "must not be empty"),
        ("C2,2026-02-01,,x,,", "approved_by", "", "must not be empty"),
        (f"C2,2026-02-01,,{'r' * 513},y,", "reason", None, "at most 512"),
        ("C1,2026-02-01,2026-02-02,x,y,", "from", "2026-02-01", "row 2 has the same device and"),
        (
            "C1,2026-02-03,2026-02-04,x,y,",
            "from",
            "2026-02-03",
            "in row 2 (2026-02-01 00:00+08:00 to 2026-02-04 00:00+08:00); end one before",
        ),
    ],
)
def test_refuses_with_row_column_value_and_remedy(
    book: Book, line: str, column: str, value: str | None, remedy: str
) -> None:
    content = HEADER + f"C1,2026-02-01,2026-02-03,Works,Office,\n\n{line}\n"
    (problem,) = book.refused(content)
    assert (problem.row, problem.column) == (4, column)
    assert value is None or problem.value == value
    assert remedy in problem.remedy
    assert book.rows() == []


@pytest.mark.parametrize(
    ("lines", "overlapping"),
    [
        ("C1,2026-02-04,,x,y,\n", None),  # starts when the other ends
        ("C1,2026-02-03 23:59,,x,y,\n", 2),
        ("C1,2026-01-01,2026-02-01,x,y,\n", 2),
        ("C1,2026-01-01,,x,y,\n", 2),
        ("C2,2026-02-02,,x,y,\n", None),  # another device
        # the same key is shortened in this file, which makes room
        ("C1,2026-02-02,,x,y,\nC1,2026-02-01,2026-02-01,x,y,\n", None),
        # or prolonged, which takes it
        ("C1,2026-02-10,,x,y,\nC1,2026-02-01,,x,y,\n", 2),
    ],
)
def test_no_overlap_with_the_register(book: Book, lines: str, overlapping: int | None) -> None:
    book.load(HEADER + "C1,2026-02-01,2026-02-03,Works,Office,\n")
    if overlapping is None:
        book.load(HEADER + lines)
    else:
        (problem,) = book.refused(HEADER + lines)
        assert problem.row == overlapping
        assert "overlaps the suspension" in problem.remedy
        assert len(book.rows()) == 1


def test_all_mistakes_of_a_file_are_named_at_once(book: Book) -> None:
    problems = book.refused(HEADER + "C1,2026-02-01,,,,\nC9,2026-02-01,,x,y,\nC2,x,y,z,z,\n")
    assert [(each.row, each.column) for each in problems] == [
        (2, "reason"),
        (2, "approved_by"),
        (3, "device_code"),
        (4, "from"),
        (4, "to"),
    ]


@pytest.mark.parametrize(
    ("cell", "ends", "utc"),
    [
        ("2026-03-29", False, "2026-03-28T23:00Z"),
        ("2026-03-29", True, "2026-03-29T22:00Z"),  # a day of 23 hours
        ("2026-10-25", True, "2026-10-25T23:00Z"),  # a day of 25 hours
        ("2026-01-05 08:00", False, "2026-01-05T07:00Z"),
        ("2026/1/5 8:00:30", True, "2026-01-05T07:00:30Z"),
        ("2026-01-05T08:00Z", False, "2026-01-05T08:00Z"),
        ("2026-01-05T08:00:00+08:00", False, "2026-01-05T00:00Z"),
        ("2026-01-05 08:00 -0330", True, "2026-01-05T11:30Z"),
        ("2026-10-25 02:30", False, "2026-10-25T00:30Z"),  # comes twice: the earlier
        ("2026-03-29 02:30", False, "2026-03-29T01:30Z"),  # is skipped: as much later
    ],
)
def test_reads_bounds(cell: str, ends: bool, utc: str) -> None:
    assert read_bound(cell, BERLIN, ends=ends) == int(datetime.fromisoformat(utc).timestamp())


@pytest.mark.parametrize(
    "cell", ["2026-01-05Z", "2026-01-05 8", "2026-01-05 08:60", "2026-01-05 08:00+25:00", "8:00"]
)
def test_refuses_other_bounds(cell: str) -> None:
    with pytest.raises(ValueError, match=r"write|correct"):
        read_bound(cell, BERLIN, ends=False)


def test_bad_rows_are_skipped_where_wanted(book: Book) -> None:
    content = HEADER + "C1,2026-02-01,2026-02-03,Works,Office,\nC9,2026-02-01,,x,y,\nC2,x,,x,y,\n"
    result = book.load(content, skip_bad=True)
    assert result.inserted == 1
    assert result.set_aside
    assert result.set_aside.rows == 2
    assert result.set_aside.file
    assert (
        "device_code: is not in the register; import the device first,C9,2026-02-01"
        in result.set_aside.file.read_text("utf-8")
    )
    assert len(book.rows()) == 1


def test_what_a_skipped_row_was_to_replace_stands_after_all(book: Book) -> None:
    book.load(HEADER + "C1,2026-02-05,2026-02-20,Works,Office,\n")
    result = book.load(
        HEADER
        + "C1,2026-02-01,2026-02-05,x,y,\n"
        + "C1,2026-02-05,2026-02-06,x,y,\n"  # overlaps row 2, so what it was to shorten stays
        + "C1,2026-02-10,2026-02-11,x,y,\n"  # and collides with this
        + "C2,2026-02-10,2026-02-11,x,y,\n",
        skip_bad=True,
    )
    assert result.set_aside
    assert {problem.row for problem in result.set_aside.problems} == {2, 3, 4}
    assert (result.inserted, result.updated) == (1, 0)
    assert [row.start for row in book.rows()] == [at("2026-02-05"), at("2026-02-10")]
