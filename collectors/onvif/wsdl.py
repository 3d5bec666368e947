"""onvif-zeep, tamed: its WSDL is parsed once for all cameras, and its calls go where we say.

Importing it calls `logging.basicConfig`, which is undone here, and of its own accord it would turn
`xml_huge_tree` on, parse the WSDL for each camera, take proxies from the environment and follow
what a camera says. None of that happens: each camera has a light zeep client over the shared
documents, whose transport is ours. Source: DESIGN §5.
"""

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from lxml import etree

from collectors.onvif.mending import Mender

DEVICE_SERVICE, MEDIA_SERVICE = "devicemgmt", "media"  # as onvif-zeep names them
_LOGGERS = ("zeep", "onvif")


class Wsdl:
    """The parsed documents of the device and the media service: some 15 MB, a quarter second."""

    def __init__(self) -> None:
        self._onvif, self._zeep = _import_quietly()
        folder = Path(self._onvif.__file__).parent.parent / "wsdl"
        described = import_module("onvif.definition").SERVICES
        self._settings = self._zeep.Settings(
            strict=False,
            xml_huge_tree=False,
            forbid_dtd=True,
            forbid_entities=True,
            forbid_external=True,
        )
        self._mender = Mender()
        self._files: dict[str, str] = {}
        self._documents: dict[str, Any] = {}
        self._bindings: dict[str, str] = {}
        self.error: type[Exception] = self._onvif.ONVIFError
        loader = self._zeep.Transport()
        for name in (DEVICE_SERVICE, MEDIA_SERVICE):
            about = described[name]
            self._files[name] = str(folder / about["wsdl"])
            self._bindings[name] = f"{{{about['ns']}}}{about['binding']}"
            self._documents[name] = self._zeep.wsdl.Document(
                self._files[name], loader, settings=self._settings
            )

    def services(self, transport: object) -> Mapping[str, Any]:
        """Each service of one camera, as onvif-zeep offers it; `transport` has a `post_xml`."""
        return {name: self._service(name, transport) for name in self._documents}

    def _service(self, name: str, transport: object) -> Any:
        client = self._zeep.Client(
            self._documents[name], transport=transport, settings=self._settings
        )
        # neither address nor user: whom to ask, and as whom, is the transport's
        return self._onvif.ONVIFService(
            "", "", "", self._files[name], zeep_client=client, binding_name=self._bindings[name]
        )

    def mended(self, root: etree._Element, service: str, operation: str) -> bytes | None:
        """The answer to an operation in the schema's form; None where it is not there."""
        binding = self._documents[service].bindings[self._bindings[service]]
        return self._mender.mended(root, binding.get(operation).output.body)


def _import_quietly() -> tuple[Any, Any]:
    """`onvif` and `zeep`, with the root logger as it was; both would log replies raw."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    onvif, zeep = import_module("onvif"), import_module("zeep")
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return onvif, zeep
