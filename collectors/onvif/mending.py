"""A camera's answer put into the form that the schema has it: namespaces, order, nothing else.

Cameras put children into the wrong namespace, into none, or into another order; zeep then finds
nothing. We know from the schema which children an element has, and go by their local names. What
the schema does not know is left out, and so is `xsi:type`, by which an answer could choose the
reader of its own content.
"""

from typing import Any, NamedTuple

from lxml import etree

from collectors.onvif.reply import local_name

MAX_ELEMENTS = 4_000
"""Far more than any real answer has; reading takes time for each one."""

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class _Place(NamedTuple):
    """Where a child stands among its siblings, and its element in the schema."""

    position: int
    element: Any


class Mender:
    """Mends answers by a schema of zeep's; remembers what it looked up there."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, dict[str, _Place]]] = {}  # by id: types have no hash

    def mended(self, root: etree._Element, expected: Any) -> bytes | None:
        """An envelope around the element `expected` (one of the schema's) of the answer.

        None where it is not there, or where the answer has too many elements.
        """
        found = None
        for count, node in enumerate(root.iter(etree.Element), start=1):
            if count > MAX_ELEMENTS:
                return None
            if found is None and local_name(node) == expected.name:
                found = node
        if found is None:
            return None
        self._fit(found, expected)
        envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"s": _SOAP})
        etree.SubElement(envelope, f"{{{_SOAP}}}Body").append(found)
        return etree.tostring(envelope)

    def _fit(self, node: etree._Element, element: Any) -> None:
        node.tag = element.qname.text
        node.tail = None
        for name in [name for name in node.attrib if str(name).startswith(_XSI)]:
            del node.attrib[name]
        places = self._places(element.type)
        children = [(places.get(local_name(child)), child) for child in node]
        known = [(place, child) for place, child in children if place is not None]
        node[:] = [child for _, child in sorted(known, key=lambda pair: pair[0].position)]
        for place, child in known:
            self._fit(child, place.element)

    def _places(self, kind: Any) -> dict[str, _Place]:
        """The children that a type has, by local name."""
        if id(kind) not in self._known:
            elements = [element for _, element in getattr(kind, "elements", ())]
            named = [element for element in elements if getattr(element, "name", None)]
            places = {each.name: _Place(position, each) for position, each in enumerate(named)}
            self._known[id(kind)] = (kind, places)  # kept, so that no other gets its id
        return self._known[id(kind)][1]
