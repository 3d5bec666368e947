from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import BadParameter, ImportRefused, RowProblem
from app.tabular import Columns, Problems, harmless, open_table, read_day, restored

COLUMNS = Columns(
    names={"code": "code", "编码": "code", "设备编码": "code", "name": "name", "名称": "name"},
    required=frozenset({"code"}),
)
FORMULA_STARTS = "=+-@\t\r"


def read(path: Path) -> list[tuple[int, dict[str, str]]]:
    with open_table(path, COLUMNS) as table:
        rows = list(table.rows())
        table.problems.refuse()
    return rows


def refused(path: Path) -> list[RowProblem]:
    with pytest.raises(ImportRefused) as caught:
        read(path)
    return caught.value.problems


def file_with(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@given(st.text(alphabet=f"'{FORMULA_STARTS}a中", max_size=6) | st.text())
@example("'=1+1")
@example("''=1+1")
@example("'plain")
def test_what_is_made_harmless_comes_back_exactly(text: str) -> None:
    assert restored(harmless(text)) == text
    assert not harmless(text).startswith(tuple(FORMULA_STARTS))


@pytest.mark.parametrize("text", ["", "abc", "'abc", "a=b", "中文", "'", "O'Neil"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
    assert restored(text) == text


@pytest.mark.parametrize(
    "content",
    [
        "code,name\n1,a\n",
        "\ufeffcode,name\n1,a\n",
        "\ufeff设备编码,名称\r\n1,a\r\n",
        "编码,名称\r1,a\r",
        '"Code ","NAME"\n" 1 ","\u3000a"\n',
        "name,code\na,1",
    ],
)
def test_reads_what_spreadsheets_write(tmp_path: Path, content: str) -> None:
    assert read(file_with(tmp_path, content)) == [(2, {"code": "1", "name": "a"})]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    content = 'code,name\n\n1,"two\nlines"\n,,\n , \n2,"a ""quoted"" word, and a comma"\n'
    path = file_with(tmp_path, content.replace(",,\n", ",\n"))
    assert read(path) == [
        (3, {"code": "1", "name": "two\nlines"}),
        (6, {"code": "2", "name": 'a "quoted" word, and a comma'}),
    ]


def test_restores_guarded_cells_and_strips_them(tmp_path: Path) -> None:
    rows = read(file_with(tmp_path, "code,name\n'=1,'plain\n'-2,' + x\n''@3,'\t=\n"))
    assert [tuple(row.values()) for _, row in rows] == [
        ("=1", "'plain"),
        ("-2", "' + x"),
        ("'@3", "="),
    ]


@pytest.mark.parametrize(
    ("content", "row", "column", "remedy"),
    [
        ("", 1, "whole row", "put the columns' names into row 1"),
        ("code;name\n1;a\n", 1, "whole row", "not separated by commas"),
        ("code\tname\n1\ta\n", 1, "whole row", "not separated by commas"),
        ("code,nmae\n1,a\n", 1, "nmae", "use name"),
        ("code,颜色\n1,a\n", 1, "颜色", "use code, name"),
        ("code,\n1,\n", 1, "column 2", "name it or take it out"),
        ("code,编码\n1,1\n", 1, "编码", "the same column as code; keep one"),
        ("name\na\n", 1, "code", "this column is missing; add it"),
        ("code,name\n1,a\n2\n", 3, "whole row", "has 1 cells where the header has 2"),
        ("code,name\n1,a,b\n", 2, "whole row", "has 3 cells where the header has 2"),
        ("code,name\n1,a\x00\n", 2, "whole row", "zero character"),
        ('code,name\n1,a\n2,"b\n3,c\n', 3, "whole row", "check the quotation marks"),
        ('code,name\n1,"a"b\n', 2, "whole row", "check the quotation marks"),
        ("编码,名称\n1,a\n".encode("gb18030"), 1, "whole row", "CSV UTF-8"),
        (b"code,name\n1,a\n2,\xc3\xa4\n3,\xb3\xc7\n", 4, "whole row", "CSV UTF-8"),
        ("code,name\n1,a\n".encode("utf-16"), 1, "whole row", "CSV UTF-8"),
    ],
)
def test_refuses_with_row_column_and_remedy(
    tmp_path: Path, content: str | bytes, row: int, column: str, remedy: str
) -> None:
    (problem,) = refused(file_with(tmp_path, content))
    assert (problem.row, problem.column) == (row, column)
    assert remedy in problem.remedy


def test_names_the_row_of_bad_bytes_far_into_a_file(tmp_path: Path) -> None:
    content = b"code,name\n" + b"1,abcdefgh\n" * 5_000 + b"2,\xb3\xc7\n" + b"3,a\n" * 5_000
    assert refused(file_with(tmp_path, content))[0].row == 5_002


def test_names_every_fault_of_the_header_at_once(tmp_path: Path) -> None:
    problems = refused(file_with(tmp_path, "name,名称,other\n"))
    assert [problem.column for problem in problems] == ["名称", "other", "code"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"nowhere\.csv cannot be read .* check its path"):
        read(tmp_path / "nowhere.csv")


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    path = file_with(tmp_path, "code\n" + "1\n" * 3_000)
    with open_table(path, COLUMNS) as table:
        rows = table.rows(lambda *report: reports.append(report))
        assert len(list(rows)) == 3_000
    assert reports[-1] == ("reading", 6_005, 6_005)
    assert len(reports) > 2


def test_problems_are_counted_beyond_the_first_hundred() -> None:
    problems = Problems("f.csv", {"code": "编码"})
    for row in range(250, 0, -1):
        problems.add(row, "code", "x" * 200, "is wrong")
    with pytest.raises(ImportRefused) as caught:
        problems.refuse()
    assert caught.value.total == 250
    assert [problem.row for problem in caught.value.problems] == list(range(151, 251))
    assert caught.value.problems[0].column == "编码"
    assert len(caught.value.problems[0].value) < 100
    assert "and 150 more" in str(caught.value)


def test_no_problems_no_refusal() -> None:
    Problems("f.csv").refuse()


@pytest.mark.parametrize("text", ["2024-02-29", "2024/2/29", "2024/02/29", "2024-2-29"])
def test_reads_days(text: str) -> None:
    assert read_day(text) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("2023-02-29", "no day of the calendar"),
        ("2024-2/29", "write it as YYYY-MM-DD"),
        ("29.02.2024", "write it as YYYY-MM-DD"),
        ("２０２４-01-01", "write it as YYYY-MM-DD"),
        ("9999-12-31", "year from 1970 to 2199"),
    ],
)
def test_refuses_other_days(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        read_day(text)
