from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadParameter, ImportRefused, RowProblem
from app.tabular import Columns, Problems, open_table
from app.tabular.csv_records import GB18030, UTF_8, encoding_of

COLUMNS = Columns(
    names={"code": "code", "编码": "code", "设备编码": "code", "name": "name", "名称": "name"},
    required=frozenset({"code"}),
    key="code",
)


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
        ("编码,名称\n1,门\n".encode("gb18030") + b"2,\xff\n", 1, "whole row", "CSV UTF-8"),
        ("\ufeff编码,名称\n1,门\n".encode() + b"2,\xb3\xc7\n", 3, "whole row", "CSV UTF-8"),
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


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030"])
def test_reads_what_chinese_excel_writes(tmp_path: Path, encoding: str) -> None:
    content = "编码,名称\r\n1,城东派出所门口\r\n2,\r\n3,路\r\n".encode(encoding)
    assert read(file_with(tmp_path, content)) == [
        (2, {"code": "1", "name": "城东派出所门口"}),
        (3, {"code": "2", "name": ""}),
        (4, {"code": "3", "name": "路"}),
    ]


def test_four_bytes_of_gb18030(tmp_path: Path) -> None:
    rare = "㐀𠀀"  # characters that GBK has not
    path = file_with(tmp_path, f"编码,名称\n1,{rare}\n".encode("gb18030"))
    assert read(path)[0][1]["name"] == rare


@given(st.lists(st.text("东南西北城门路口派出所岗亭甲乙丙丁", min_size=2), min_size=1, max_size=20))
def test_encodings_are_told_apart(names: list[str]) -> None:
    text = "编码,名称\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names))
    assert encoding_of(BytesIO(text.encode())) == UTF_8
    assert encoding_of(BytesIO(text.encode("gb18030"))) == GB18030


@pytest.mark.parametrize("title", ["某某分局一机一档,\n", "某某分局一机一档,\n2026年,\n\n", ",\n"])
def test_a_title_may_stand_above_the_header(tmp_path: Path, title: str) -> None:
    path = file_with(tmp_path, f"{title}编码,名称\n1,编码\n")
    assert read(path) == [(title.count("\n") + 2, {"code": "1", "name": "编码"})]


def test_without_a_header_the_first_row_is_blamed(tmp_path: Path) -> None:
    (problem, *_) = refused(file_with(tmp_path, "1,a\n2,b\n"))
    assert (problem.row, problem.column) == (1, "1")
    (problem,) = refused(file_with(tmp_path, "一机一档,\n名称,编码1\n"))[:1]
    assert (problem.row, problem.column) == (2, "编码1")


def test_the_running_number_is_left_out(tmp_path: Path) -> None:
    path = file_with(tmp_path, "序号,编码,未导入原因,名称\n1,C1,bad,a\n")
    assert read(path) == [(2, {"code": "C1", "name": "a"})]


def test_examples_are_left_out_and_counted(tmp_path: Path) -> None:
    path = file_with(tmp_path, "name,code\na,示例\nb,C1\n示例,示例C2\nc,C示例\n")
    with open_table(path, COLUMNS) as table:
        assert [row["code"] for _, row in table.rows()] == ["C1", "C示例"]
        assert table.examples == 2


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "is an old Excel file .* save it"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + b"\x00" * 512
            + "EncryptedPackage".encode("utf-16-le"),
            "is locked with a password; take that off",
        ),
        (b"\xef\xbb\xbf\r\n<html><table>", "is a web page or XML; open it in Excel"),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, content: bytes, remedy: str) -> None:
    with pytest.raises(BadParameter, match=rf"table\.csv {remedy}"):
        read(file_with(tmp_path, content))


def test_names_the_row_of_bad_bytes_far_into_a_file(tmp_path: Path) -> None:
    content = b"code,name\n" + "1,城东\n".encode() * 5_000 + b"2,\xb3\xc7\n" + b"3,a\n" * 5_000
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
