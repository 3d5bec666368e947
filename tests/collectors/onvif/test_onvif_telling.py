"""What a camera says of itself, made fit to be kept."""

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.onvif import telling
from collectors.onvif.telling import SNAPSHOT_SCHEMES, STREAM_SCHEMES, URI_LENGTH


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("HIKVISION", "HIKVISION"),
        ("  大华 \n", "大华"),
        ("A\x00B\r\nC", "A B C"),
        ("", None),
        ("NONE", None),
        ("null", None),
        (" None ", None),
        (None, None),
        (7, None),
        ("x" * 65, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_text(told: object, kept: str | None) -> None:
    assert telling.text(told) == kept


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("rtsp://10.0.0.1:554/a/101 ", "rtsp://10.0.0.1:554/a/101"),
        ("rtsp://admin:p%40ss@10.0.0.1/a?b=1", "rtsp://10.0.0.1/a?b=1"),
        ("rtsp://admin:p@ss@10.0.0.1/a", "rtsp://10.0.0.1/a"),
        ("RTSP://10.0.0.1/a", "rtsp://10.0.0.1/a"),
        ("rtsp://[fe80::1]:554/a", "rtsp://[fe80::1]:554/a"),
        ("rtsp://10.0.0.1/a?user=u&password=secret&c=1", "rtsp://10.0.0.1/a?user=u&password=&c=1"),
        (
            "rtsp://10.0.0.1/user=a_password=t_channel=1",
            "rtsp://10.0.0.1/user=a_password=_channel=1",
        ),
        ("rtsp://10.0.0.1/a?pwd=secret", "rtsp://10.0.0.1/a?pwd="),
        ("rtsp://10.0.0.1/a b", "rtsp://10.0.0.1/a%20b"),
        ("rtsp://10.0.0.1:0/a", None),
        ("rtsp://10.0.0.1:99999/a", None),
        ("rtsp://[fe80::1/a", None),
        ("rtsp:///a", None),
        ("/a", None),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("rtsp://10.0.0.1/" + "a" * URI_LENGTH, None),
        ("", None),
        (None, None),
    ],
)
def test_an_address(told: object, kept: str | None) -> None:
    assert telling.address(told, STREAM_SCHEMES) == kept


def test_a_picture_is_not_offered_by_rtsp() -> None:
    assert telling.address("rtsp://10.0.0.1/a", SNAPSHOT_SCHEMES) is None


@given(st.text(), st.text(st.characters(exclude_characters="@/?#"), min_size=1))
def test_no_address_is_kept_with_who_may_see_it(path: str, user: str) -> None:
    kept = telling.address(f"rtsp://{user}:{user}@10.0.0.1/{path}", STREAM_SCHEMES)
    assert kept is None or urlsplit(kept).netloc == "10.0.0.1"


@given(st.text() | st.none() | st.integers())
def test_anything_may_be_told(told: object) -> None:
    assert telling.address(told, STREAM_SCHEMES) is None or isinstance(told, str)
    for kept in (telling.text(told), telling.path_of(told), telling.mac(told)):
        assert kept is None or kept.isprintable() or not kept.isascii()


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ("http://10.9.9.9:8080/onvif/media", "/onvif/media"),
        (" http://10.9.9.9/onvif/media ", "/onvif/media"),
        ("http://10.9.9.9", None),
        ("http://10.9.9.9/a b\r\nX: y", None),
        ("http://10.9.9.9/ä", None),
        ("http://10.9.9.9/" + "a" * 300, None),
        ("http://[", None),
        (None, None),
    ],
)
def test_of_an_xaddr_the_path_is_kept(told: object, path: str | None) -> None:
    assert telling.path_of(told) == path


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("00-1a-2b-3c-4d-5e", "00:1A:2B:3C:4D:5E"),
        ("001a.2b3c.4d5e", "00:1A:2B:3C:4D:5E"),
        ("00:00:00:00:00:00", None),
        ("00:1a:2b", None),
        (None, None),
    ],
)
def test_a_hardware_address(told: object, kept: str | None) -> None:
    assert telling.mac(told) == kept


def test_numbers_that_are_none() -> None:
    encoder = SimpleNamespace(
        Encoding="H264",
        Resolution=SimpleNamespace(Width=-1, Height=1080),
        RateControl=SimpleNamespace(FrameRateLimit=10**30, BitrateLimit="much"),
    )
    item = SimpleNamespace(token="P", VideoEncoderConfiguration=encoder)
    (profile,) = telling.profiles([item, SimpleNamespace(token=""), None, "nonsense"])
    assert (profile.resolution, profile.frame_rate, profile.bit_rate_kbps) == (None, None, None)
