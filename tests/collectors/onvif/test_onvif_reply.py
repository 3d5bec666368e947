"""Reading SOAP bodies, whole and by their skeleton: both must say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.onvif.reply import Kind, parse_reply, read_reply
from collectors.onvif.skeleton import Skeletons

_DATE = (
    "<e:Envelope xmlns:e='urn:e'><e:Body><GetSystemDateAndTimeResponse><UTCDateTime>"
    "<Time><Hour>{3}</Hour><Minute>{4}</Minute><Second>{5}</Second></Time>"
    "<Date><Year>{0}</Year><Month>{1}</Month><Day>{2}</Day></Date></UTCDateTime>{6}"
    "</GetSystemDateAndTimeResponse></e:Body></e:Envelope>"
)


def date_body(*fields: object, extra: str = "") -> bytes:
    return _DATE.format(*fields, extra).encode()


_NUMBERS = st.lists(st.integers(0, 9999), min_size=6, max_size=6)


@given(first=_NUMBERS, second=_NUMBERS)
def test_a_known_skeleton_reads_as_the_parser_does(first: list[int], second: list[int]) -> None:
    read_reply(date_body(*first))
    assert read_reply(date_body(*second)) == parse_reply(date_body(*second))


@pytest.mark.parametrize(
    "extra",
    [
        "<!-- <Year>1</Year> >5< -->",
        "<UTCDateTime><Date><Year>7</Year></Date></UTCDateTime>",
        "<Other><![CDATA[>5<]]></Other>",
        "<?pi >5< ?>",
    ],
)
def test_numbers_elsewhere_confuse_nothing(extra: str) -> None:
    for second in (10, 20, 30):
        body = date_body(2026, 3, 4, 5, 6, second, extra=extra)
        assert read_reply(body) == parse_reply(body)
        assert read_reply(body).device_time == 1772600760 + second


@pytest.mark.parametrize(
    "fields",
    [
        ("&#49;003", 3, 4, 5, 6, 7),  # written as no plain number, and looking like a mark
        ("02026", 3, 4, 5, 6, 7),
        ("20<!-- -->26", 3, 4, 5, 6, 7),
        (" 2026 ", 3, 4, 5, 6, 7),
        (9999, 12, 31, 23, 59, 59),
        (2026, 13, 4, 5, 6, 7),
        (2026, 2, 29, 5, 6, 7),
        (2026, 3, 4, 5, 6, 60),
        (0, 0, 0, 0, 0, 0),
        ("", "", "", "", "", ""),
        ("x", 3, 4, 5, 6, 7),
    ],
)
def test_odd_numbers_read_the_same_both_ways(fields: tuple[object, ...]) -> None:
    for _ in range(2):
        assert read_reply(date_body(*fields)) == parse_reply(date_body(*fields))
    assert read_reply(date_body(*fields)).kind is Kind.VALID


def test_a_nul_in_place_of_a_number_is_no_known_skeleton() -> None:
    """NUL joins the parts of a skeleton that is kept."""
    answer = date_body(2026, 3, 4, 5, 6, 7)
    assert read_reply(answer).kind is Kind.VALID
    other = answer.replace(b">7<", b"\0")
    assert read_reply(other) == parse_reply(other)


def test_skeletons_are_bounded() -> None:
    skeletons = Skeletons()
    for number in range(300):
        skeletons.learn(b"<a%d>1</a%d>" % (number, number), lambda _: ())
    assert skeletons.read(b"<a0>2</a0>") is None
    assert skeletons.read(b"<a299>2</a299>") == ()


def test_entities_are_neither_expanded_nor_fetched() -> None:
    body = (
        b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        b"<Envelope><Body><GetSystemDateAndTimeResponse>&x;</GetSystemDateAndTimeResponse></Body>"
        b"</Envelope>"
    )
    assert read_reply(body).kind is Kind.NONSENSE


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise(body: bytes) -> None:
    assert read_reply(body).kind in Kind
    wrapped = b"<Envelope><GetSystemDateAndTimeResponse>" + body + b"</Envelope>"
    assert read_reply(wrapped).kind in Kind
