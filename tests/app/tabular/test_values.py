from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.tabular import harmless, read_day, restored

FORMULA_STARTS = "=+-@\t\r"


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
    "text",
    ["2024-02-29", "2024/2/29", "2024/02/29", "2024-2-29", "2024-2-29 0:00", "2024-02-29T00:00:00"],
)
def test_reads_days(text: str) -> None:
    assert read_day(text) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("2023-02-29", "no day of the calendar"),
        ("2024-2/29", "write it as YYYY-MM-DD"),
        ("29.02.2024", "write it as YYYY-MM-DD"),
        ("２０２４-01-01", "write it as YYYY-MM-DD"),
        ("2024-02-29 08:00", "write it as YYYY-MM-DD"),
        ("9999-12-31", "year from 1970 to 2199"),
    ],
)
def test_refuses_other_days(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        read_day(text)
