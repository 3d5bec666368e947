"""Lists: what an address wants, and the addresses that lead on."""

from urllib.parse import urlencode

import pytest
from fastapi import Request

from app.errors import BadParameter
from app.web.listing import Column, Listing, listing

COLUMNS = (Column("code", "Code"), Column("rate", "Rate", is_number=True))


def of(**query: str) -> Listing:
    scope = {"type": "http", "query_string": urlencode(query).encode()}
    return listing(Request(scope), COLUMNS, sort="-rate")


def test_sorts_by_itself_until_the_address_says_otherwise() -> None:
    assert (of().sort, of().descending, of().skip) == ("rate", True, 0)
    assert (of(sort="code").sort, of(sort="code").descending) == ("code", False)


def test_a_heading_turns_its_own_order_and_begins_at_the_first_page() -> None:
    wanted = of(sort="code", page="3", q="a b", day="2026-03-01")
    assert wanted.sorted_by("code") == "?day=2026-03-01&q=a+b&sort=-code"
    assert wanted.sorted_by("rate") == "?day=2026-03-01&q=a+b&sort=rate"
    assert wanted.at(2) == "?day=2026-03-01&q=a+b&sort=code&page=2"
    assert (wanted.direction("code"), wanted.direction("rate")) == ("ascending", "none")


@pytest.mark.parametrize(
    ("page", "pages", "shown"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (5, 9, [1, None, 4, 5, 6, None, 9]),
        (9, 9, [1, None, 8, 9]),
    ],
)
def test_pages_around_this_one(page: int, pages: int, shown: list[int | None]) -> None:
    assert of(page=str(page)).of(pages * 50).near_pages() == shown


def test_a_page_past_the_end_is_the_last_one() -> None:
    wanted = of(page="7").of(60)
    assert (wanted.page, wanted.first, wanted.last) == (2, 51, 60)
    assert (of().of(0).first, of().of(0).last, of().of(0).pages) == (0, 0, 1)


def test_a_list_that_nobody_has_counted_goes_on() -> None:
    wanted = of(page="3").of(151, and_more=True)
    assert (wanted.first, wanted.last, wanted.and_more) == (101, 150, True)
    assert wanted.near_pages() == [1, 2, 3, 4]
    assert not wanted.of(151).and_more


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"sort": "password"}, "sort"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "²"}, "page"),
        ({"page": "9" * 5000}, "page"),
    ],
)
def test_what_is_no_wish_is_refused(query: dict[str, str], parameter: str) -> None:
    with pytest.raises(BadParameter) as refused:
        of(**query)
    assert refused.value.parameter == parameter
