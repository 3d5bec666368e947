"""Answers to a WS-Discovery probe: what is read of them, and that nothing in them does harm."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.discovery.found import Found
from collectors.discovery.matches import probes, read_match
from collectors.onvif.telling import TEXT_LENGTH
from collectors.simulator.announcing import matches

MESSAGE = UUID("11111111-2222-3333-4444-555555555555")
ID = f"urn:uuid:{MESSAGE}"
SENDER = "10.1.2.3"
XADDR = "http://10.1.2.3/onvif/device_service"
SCOPE = "onvif://www.onvif.org/"
GOOD = matches(ID, XADDR, f"{SCOPE}name/East%20gate {SCOPE}hardware/DS-2 {SCOPE}location/%E4%B8%9C")
WITH_DOCTYPE = GOOD.replace(b"<s:Envelope", b'<!DOCTYPE x [<!ENTITY e "e">]><s:Envelope', 1)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def test_a_good_answer() -> None:
    expected = Found(SENDER, 80, name="East gate", model="DS-2", location="东")
    assert read_match(GOOD, SENDER, MESSAGE) == expected


@pytest.mark.parametrize(
    ("addresses", "port", "tls"),
    [
        ("http://10.1.2.3:8080/x", 8080, False),
        ("https://10.1.2.3/x", 443, True),
        ("http://192.168.1.64:81/x", 81, False),  # another's host is never followed
        ("ftp://10.1.2.3/x http://[fe80::1]:82/x", 82, False),
        ("nonsense http://10.1.2.3:99999/", None, False),
        ("", None, False),
    ],
)
def test_it_is_asked_at_the_address_it_answered_from(
    addresses: str, port: int | None, tls: bool
) -> None:
    found = read_match(matches(ID, addresses, SCOPE), SENDER, MESSAGE)
    assert found == Found(SENDER, port, tls)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"<",
        b"no XML at all",
        GOOD[:-20],
        matches("urn:uuid:another", XADDR, SCOPE),
        matches(ID, XADDR, "", types="wprt:PrintDeviceType"),
        WITH_DOCTYPE,
        WITH_DOCTYPE.decode().replace('encoding="UTF-8"', "").encode("utf-16"),
        GOOD.replace(b"ProbeMatch>", b"Hello>"),
    ],
)
def test_what_is_no_answer(datagram: bytes) -> None:
    assert read_match(datagram, SENDER, MESSAGE) is None


@pytest.mark.parametrize(
    ("scope", "name"),
    [("name/", None), ("name/%00%0d", None), ("name/NONE", None), ("name/" + "x" * 999, "x" * 64)],
)
def test_names_that_are_none_or_too_long(scope: str, name: str | None) -> None:
    found = read_match(matches(ID, XADDR, SCOPE + scope), SENDER, MESSAGE)
    assert found
    assert found.name == name


def test_prefixes_and_order_do_not_matter() -> None:
    plain = GOOD.replace(b"d:ProbeMatch", b"ProbeMatch").replace(b"d:Scopes", b"zz:Scopes")
    assert read_match(plain, SENDER, MESSAGE) == read_match(GOOD, SENDER, MESSAGE)


def test_a_probe_asks_for_both_types_and_says_nothing_of_us() -> None:
    video, device = probes(MESSAGE)
    assert b":NetworkVideoTransmitter<" in video
    assert b":Device<" in device
    assert str(MESSAGE).encode() in video


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.integers(0, 80),
            st.binary(max_size=8)
            | st.sampled_from([b"<", b">", b"&e;", b"\0", b"\xff", b"%", b"<!DOCTYPE s>", b"]]>"]),
        ),
        max_size=6,
    )
)
def test_whatever_comes_back(edits: list[tuple[int, int, bytes]]) -> None:
    datagram = GOOD
    for place, cut, put in edits:
        datagram = datagram[:place] + put + datagram[place + cut :]
    found = read_match(datagram, SENDER, MESSAGE)
    if found is not None:
        assert found.address == SENDER
        assert found.port is None or 0 < found.port <= 65_535
        for told in (found.name, found.model, found.location):
            assert told is None or (0 < len(told) <= TEXT_LENGTH and not CONTROL.search(told))
