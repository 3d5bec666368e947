"""What counts as a playable video in a session description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.rtsp.sdp import has_video_section, is_description, video_codec

SESSION = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=x\r\nt=0 0\r\n"
H264 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
AUDIO = "m=audio 0 RTP/AVP 0\r\na=control:trackID=2\r\n"
METADATA = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:x\r\n"


@pytest.mark.parametrize(
    ("media", "codec"),
    [
        (H264, "H264"),
        (H264.replace("H264", "H265"), "H265"),
        (H264.replace("H264", "MP4V-ES"), "MP4V-ES"),
        (H264.replace("H264", "SVAC"), "SVAC"),
        ("m=video 0 RTP/AVP 26\r\na=control:trackID=1\r\n", "JPEG"),
        ("m=video 5004 RTP/AVP 26\r\n", "JPEG"),
        ("a=control:*\r\nm=video 0 RTP/AVP 26\r\n", "JPEG"),
        (AUDIO + H264, "H264"),
        (H264 + AUDIO, "H264"),
        (H264.replace("\r\n", "\n"), "H264"),
        (H264.replace("\r\n", "\r"), "H264"),
        (H264.replace("m=video", "m=VIDEO").replace("RTP/AVP", "RTP/SAVP"), "H264"),
        (H264.replace("RTP/AVP 96", "RTP/AVP 97 96"), "H264"),
        (H264.replace(" H264", "  H264"), "H264"),
        (H264.replace("a=control:trackID=1\r\n", ""), ""),
        (H264.replace("a=rtpmap:96 H264/90000\r\n", ""), ""),
        (H264.replace("rtpmap:96", "rtpmap:97"), ""),
        (H264.replace("H264", "rtx"), ""),
        ("m=video 0 RTP/AVP\r\na=control:x\r\n", ""),
        ("m=video\r\na=control:x\r\n", ""),
        (AUDIO, ""),
        (METADATA, ""),
        ("", ""),
    ],
)
def test_codec_of_the_playable_video(media: str, codec: str) -> None:
    assert video_codec((SESSION + media).encode()) == codec


def test_a_video_section_is_told_from_none() -> None:
    assert has_video_section((SESSION + "m=video 0 RTP/AVP 96\r\n").encode())
    assert not has_video_section((SESSION + AUDIO).encode())
    assert is_description(b"\r\nv=0\r\n")
    assert not is_description(b"<html></html>")


@given(st.binary(max_size=400))
def test_any_bytes_are_read(body: bytes) -> None:
    codec = video_codec(SESSION.encode() + b"m=video 0 RTP/AVP 96\r\na=control:x\r\n" + body)
    assert len(codec) <= 32
    assert codec.isprintable()
