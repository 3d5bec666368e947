"""Lists that are sorted, searched and paged by the server; a page of rows is all that is read.

A page takes its `Listing` out of the address, asks its queries for `rows` from `skip` on in the
order of `sort`, and hands the listing to the macros of `parts/listing.html`. Without scripts each
link loads the page; with htmx only the list changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import Request

from app.errors import BadParameter

PAGE_SIZE = 50
LAST_PAGE = 1_000_000
LONGEST_TEXT = 128


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in the address and its heading, a text of the catalogue."""

    key: str
    label: str
    is_number: bool = False
    can_sort: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """What the reader wants to see of a list, as the address says it.

    `others` are the parameters that the list does not know; its links keep those that say
    something. Where a page has two lists, the parameters of the second begin with a `prefix`.
    `and_more`: there are more than `total`, nobody has counted how many.
    """

    columns: Sequence[Column]
    sort: str
    descending: bool
    page: int
    text: str
    others: Sequence[tuple[str, str]] = ()
    prefix: str = ""
    total: int = 0
    and_more: bool = False
    rows: int = PAGE_SIZE

    @property
    def skip(self) -> int:
        return (self.page - 1) * self.rows

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.rows))

    @property
    def first(self) -> int:
        """Number of the first row shown, from 1; 0 where there is none."""
        return min(self.skip + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.skip + self.rows, self.total)

    def of(self, total: int, *, and_more: bool = False) -> "Listing":
        """With the number of all rows (or of those known), and the page within them."""
        pages = max(1, -(-total // self.rows))
        return replace(self, total=total, and_more=and_more, page=min(self.page, pages))

    def sorted_by(self, key: str) -> str:
        """The address under which this column sorts; once more: the other way round."""
        turned = not self.descending if key == self.sort else False
        return self._address(replace(self, sort=key, descending=turned, page=1))

    def at(self, page: int) -> str:
        """The address of another page."""
        return self._address(replace(self, page=page))

    @property
    def selection(self) -> str:
        """What is chosen and searched for, without order and page, as a query of an address."""
        searched = [(f"{self.prefix}q", self.text)] if self.text else []
        return urlencode([*self.others, *searched])

    def direction(self, key: str) -> str:
        """The value of `aria-sort`."""
        if key != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"

    def near_pages(self) -> list[int | None]:
        """The first, the last and the pages around this one; None stands for a gap."""
        near = {1, self.pages, *range(self.page - 1, self.page + 2)}
        shown: list[int | None] = []
        for page in sorted(page for page in near if 1 <= page <= self.pages):
            if shown and shown[-1] is not None and page - shown[-1] > 1:
                shown.append(None)
            shown.append(page)
        return shown

    @staticmethod
    def _address(wanted: "Listing") -> str:
        order = f"{'-' if wanted.descending else ''}{wanted.sort}"
        page = str(wanted.page) if wanted.page > 1 else ""
        own = zip(OWN, (wanted.text, order, page), strict=True)
        shown = [(wanted.prefix + key, value) for key, value in own if value]
        return f"?{urlencode([*wanted.others, *shown])}"


OWN = ("q", "sort", "page")


def listing(request: Request, columns: Sequence[Column], sort: str, prefix: str = "") -> Listing:
    """What the address wants, sorted by `sort` (`-key`: descending) where it does not say.

    Raises `BadParameter` for a column that cannot be sorted by or a page that is none.
    """
    given = request.query_params.multi_items()
    own = {key: prefix + key for key in OWN}
    asked = {key: request.query_params.get(name, "") for key, name in own.items()}
    wanted = asked["sort"] or sort
    key = wanted.removeprefix("-")
    if key not in {column.key for column in columns if column.can_sort}:
        raise BadParameter(own["sort"], f"{key[:40]!r} is no column to sort by")
    return Listing(
        columns,
        sort=key,
        descending=wanted.startswith("-"),
        page=_page(own["page"], asked["page"] or "1"),
        text=asked["q"].replace("\0", "").strip()[:LONGEST_TEXT],
        others=[each for each in given if each[0] not in own.values() and each[1]],
        prefix=prefix,
    )


def _page(parameter: str, text: str) -> int:
    readable = text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE))
    if not readable or not 1 <= int(text) <= LAST_PAGE:
        raise BadParameter(parameter, f"{text[:20]!r} is no page; pages are counted from 1")
    return int(text)
