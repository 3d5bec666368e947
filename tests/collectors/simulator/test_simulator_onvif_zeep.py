"""The simulated camera seen by an independent client: onvif-zeep, with the real WSDL."""

import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

from collectors.simulator.fleet import Device
from collectors.simulator.running import RunningFleet
from collectors.simulator.scenario import parse_scenario

Connect = Callable[[Device, str], Any]
GUARD_S = 30

# onvif builds the token's time with datetime.utcnow(), deprecated from Python 3.12 on
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture(scope="module")
def onvif() -> Any:
    """The onvif module; importing it calls `logging.basicConfig`, which is undone."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    module = importlib.import_module("onvif")
    root.handlers[:] = handlers
    root.setLevel(level)
    return module


@pytest.fixture(scope="module")
def zeep_transports() -> Any:
    """zeep has no types of its own."""
    return importlib.import_module("zeep.transports")


@pytest.fixture
def connect(onvif: Any, zeep_transports: Any) -> Iterator[Connect]:
    """Makes clients; their HTTP session is closed at the end."""
    with requests.Session() as session:
        session.trust_env = False
        transport: Any = zeep_transports.Transport(
            session=session, timeout=GUARD_S, operation_timeout=GUARD_S
        )

        def connected(camera: Device, password: str) -> Any:
            # without its cache, which would be a file in the user's home
            return onvif.ONVIFCamera(
                camera.address,
                camera.port,
                camera.username,
                password,
                no_cache=True,
                transport=transport,
            )

        yield connected


def test_deep_inspection_of_an_open_camera(running: RunningFleet, connect: Connect) -> None:
    camera = running.cameras[0]
    seen = connect(camera, camera.password)
    information = seen.devicemgmt.GetDeviceInformation()
    assert (
        information.Manufacturer,
        information.Model,
        information.FirmwareVersion,
        information.SerialNumber,
    ) == (camera.vendor, camera.model, camera.firmware, camera.serial)
    assert seen.devicemgmt.GetSystemDateAndTime().UTCDateTime.Date.Year >= 2024
    services = seen.devicemgmt.GetServices({"IncludeCapability": False})
    base = f"http://{camera.address}:{camera.port}/onvif/"
    assert [service.XAddr for service in services] == [
        f"{base}device_service",
        f"{base}media_service",
    ]

    media = seen.create_media_service()
    profiles = media.GetProfiles()
    assert [profile.token for profile in profiles] == ["Profile_1", "Profile_2"]
    encoder = profiles[0].VideoEncoderConfiguration
    assert encoder.Encoding == "H264"
    assert f"{encoder.Resolution.Width}x{encoder.Resolution.Height}" == camera.resolution

    stream = media.GetStreamUri(
        {
            "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
            "ProfileToken": "Profile_2",
        }
    )
    assert stream.Uri == f"rtsp://{camera.address}:{camera.port}/Streaming/Channels/102"
    snapshot = media.GetSnapshotUri({"ProfileToken": "Profile_1"})
    picture = httpx.get(snapshot.Uri, timeout=GUARD_S, trust_env=False)
    assert picture.headers["content-type"] == "image/jpeg"


def test_its_token_is_accepted_and_a_wrong_one_refused(
    running: RunningFleet, connect: Connect, onvif: Any
) -> None:
    running.use(parse_scenario("[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1\n"))
    camera = running.cameras[0]
    seen = connect(camera, camera.password)
    assert seen.devicemgmt.GetDeviceInformation().SerialNumber == camera.serial
    with pytest.raises(onvif.ONVIFError, match="wrong password"):
        connect(camera, "guess")
