"""GStreamer's RTSP server on loopback, for `test_real_rtsp_servers`; ends with its input.

Run by the system's Python, which has Debian's bindings. Arguments: none, basic or digest, and a
PEM file of certificate and key where it shall speak TLS. Prints its port when it listens.
"""

import sys
from typing import Any

import gi

for name, version in (("Gst", "1.0"), ("GstRtsp", "1.0"), ("GstRtspServer", "1.0")):
    gi.require_version(name, version)
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first

USER, PASSWORD, ROLE = "intact", "秘密-secret", "viewer"
STREAMS = {
    "/h264": "videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay name=pay0 pt=96",
    "/jpeg": "videotestsrc is-live=true ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "/audio": "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8",
}


def factory(pipeline: str, guarded: bool) -> Any:
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(f"( {pipeline} )")
    made.set_shared(True)
    if guarded:
        role = Gst.Structure.new_empty(ROLE)
        role.set_value("media.factory.access", True)
        role.set_value("media.factory.construct", True)
        made.add_role_from_structure(role)
    return made


def guard(scheme: str, certificate: str) -> Any:
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", ROLE)
    if scheme == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, PASSWORD), token)
    elif scheme == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(USER, PASSWORD, token)
    else:
        auth.set_default_token(token)
    if certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
    return auth


def main(scheme: str, certificate: str = "") -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    guarded = scheme != "none" or bool(certificate)
    for path, pipeline in STREAMS.items():
        server.get_mount_points().add_factory(path, factory(pipeline, guarded))
    if guarded:
        server.set_auth(guard(scheme, certificate))
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    loop.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
