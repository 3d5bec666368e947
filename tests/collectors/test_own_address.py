"""Whatever a device names, it is asked at its own address."""

import pytest

from collectors.own_address import HTTP, RTSP, own_place

ADDRESS = "10.1.2.3"


@pytest.mark.parametrize(
    ("named", "port", "tls", "uri"),
    [
        ("rtsp://10.1.2.3/live", 554, False, "rtsp://10.1.2.3:554/live"),
        ("rtsp://10.1.2.3:8554/live", 8554, False, "rtsp://10.1.2.3:8554/live"),
        ("rtsps://10.1.2.3/live", 322, True, "rtsps://10.1.2.3:322/live"),
        ("RTSP://10.1.2.3/a", 554, False, "rtsp://10.1.2.3:554/a"),
        ("rtsp://192.168.1.108:554/a?x=1&y=2", 554, False, "rtsp://10.1.2.3:554/a?x=1&y=2"),
        ("rtsp://elsewhere.example/a", 554, False, "rtsp://10.1.2.3:554/a"),
        ("rtsp://admin:hunter2@10.1.2.3/a", 554, False, "rtsp://10.1.2.3:554/a"),
        (" rtsp://10.1.2.3/a \r\n", 554, False, "rtsp://10.1.2.3:554/a"),
        ("rtsp://10.1.2.3", 554, False, "rtsp://10.1.2.3:554/"),
        ("rtsp://10.1.2.3/通道#x", 554, False, "rtsp://10.1.2.3:554/%E9%80%9A%E9%81%93"),
    ],
)
def test_host_and_credentials_are_replaced(named: str, port: int, tls: bool, uri: str) -> None:
    place = own_place(named, ADDRESS, RTSP)
    assert place is not None
    assert (place.address, place.port, place.tls, place.uri) == (ADDRESS, port, tls, uri)


def test_an_ipv6_address_stands_in_brackets() -> None:
    place = own_place("http://[fe80::1]/s.jpg", "fd00::7", HTTP)
    assert place is not None
    assert (place.address, place.uri) == ("fd00::7", "http://[fd00::7]:80/s.jpg")


@pytest.mark.parametrize(
    "named",
    [
        "",
        "live",
        "http://10.1.2.3/live",
        "file:///etc/passwd",
        "rtsp://10.1.2.3:99999/a",
        "rtsp://10.1.2.3:x/a",
        "rtsp://[10.1.2.3/a",
        "rtsp://10.1.2.3/a\r\nAuthorization: x",
        "rtsp://10.1.2.3/a b",
        "rtsp://10.1.2.3/" + "a" * 3000,
    ],
)
def test_what_is_no_address_of_the_kind(named: str) -> None:
    assert own_place(named, ADDRESS, RTSP) is None
