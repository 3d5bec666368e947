"""onvif-zeep, tamed: quiet, parsed once, without its dangerous settings; answers mended."""

import subprocess
import sys

import pytest
from lxml import etree

from collectors.onvif.mending import MAX_ELEMENTS
from collectors.onvif.wsdl import DEVICE_SERVICE, MEDIA_SERVICE, Wsdl

INFORMATION = "GetDeviceInformation"
_QUIET = """
import logging
from collectors.onvif.wsdl import Wsdl
Wsdl()
root = logging.getLogger()
assert root.handlers == [], root.handlers
assert root.level == logging.WARNING
"""


@pytest.fixture(scope="module")
def wsdl() -> Wsdl:
    return Wsdl()


def test_the_root_logger_is_left_as_it_was() -> None:
    subprocess.run([sys.executable, "-c", _QUIET], check=True, timeout=60)


def test_cameras_share_what_was_parsed(wsdl: Wsdl) -> None:
    one, other = wsdl.services(object()), wsdl.services(object())
    for name in (DEVICE_SERVICE, MEDIA_SERVICE):
        assert one[name].zeep_client is not other[name].zeep_client
        assert one[name].zeep_client.wsdl is other[name].zeep_client.wsdl


def test_its_limits_stay_on(wsdl: Wsdl) -> None:
    for service in wsdl.services(object()).values():
        settings = service.zeep_client.settings
        assert not settings.xml_huge_tree
        assert settings.forbid_dtd
        assert settings.forbid_entities
        assert settings.forbid_external


def mended(wsdl: Wsdl, xml: str) -> list[tuple[str, str | None]] | None:
    """Tag and text of what is in the mended answer to GetDeviceInformation."""
    content = wsdl.mended(etree.fromstring(xml), DEVICE_SERVICE, INFORMATION)
    if content is None:
        return None
    answer = etree.fromstring(content).find("{*}Body")[0]  # type: ignore[index]  # just made
    return [(etree.QName(child).text, child.text) for child in answer]


NAMESPACE = "{http://www.onvif.org/ver10/device/wsdl}"
MAKER, MODEL = (f"{NAMESPACE}Manufacturer", "M"), (f"{NAMESPACE}Model", "D")


@pytest.mark.parametrize(
    "xml",
    [
        "<a><GetDeviceInformationResponse><Manufacturer>M</Manufacturer><Model>D</Model>"
        "</GetDeviceInformationResponse></a>",
        "<GetDeviceInformationResponse><Model>D</Model><Manufacturer>M</Manufacturer>"
        "</GetDeviceInformationResponse>",
        "<x:GetDeviceInformationResponse xmlns:x='urn:wrong'><Surprise><Model>no</Model></Surprise>"
        "<x:Manufacturer>M</x:Manufacturer>between<Model xmlns='urn:other'>D</Model>after"
        "</x:GetDeviceInformationResponse>",
        "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><GetDeviceInformationResponse>"
        "<Manufacturer i:type='i:Date'>M</Manufacturer><Model i:nil='true'>D</Model>"
        "</GetDeviceInformationResponse></a>",
    ],
)
def test_an_answer_is_put_into_the_schemas_form(wsdl: Wsdl, xml: str) -> None:
    assert mended(wsdl, xml) == [MAKER, MODEL]


@pytest.mark.parametrize(
    "xml",
    [
        "<GetHostnameResponse/>",
        f"<GetDeviceInformationResponse>{'<Model/>' * MAX_ELEMENTS}</GetDeviceInformationResponse>",
    ],
    ids=["another answer", "too many elements"],
)
def test_what_cannot_be_mended(wsdl: Wsdl, xml: str) -> None:
    assert mended(wsdl, xml) is None
