"""What a SOAP body says: the device's time, a refusal, a fault, or nonsense.

Elements are found by their local name, in whatever namespace, prefix and order a camera puts them.
No entities, no DTD, no network. The text of a reply never leaves this module: some cameras echo our
security header. Source: ONVIF Core Specification, SOAP 1.1 and 1.2; habits of DESIGN §5.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from lxml import etree

from collectors.onvif.skeleton import Fields, Skeletons

_STRICT = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
)
_LENIENT = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    recover=True,
    encoding="utf-8",  # whatever the declaration says: what lies about it says mostly utf-16
)
_REFUSALS = frozenset({"notauthorized", "failedauthentication"})
_FAULT_CODES = ("Value", "faultcode")
_DATE = "GetSystemDateAndTime"
_FIELDS = ("Year", "Month", "Day", "Hour", "Minute", "Second")

_skeletons = Skeletons()  # shared by all: what it returns never depends on what it holds


class Kind(Enum):
    """What sort of answer it is."""

    VALID = "the answer asked for"
    REFUSED = "a fault that says not authorized"
    FAULT = "another fault"
    NONSENSE = "nothing that can be read as an answer"


@dataclass(frozen=True, slots=True)
class SoapReply:
    """An answer that was read. `device_time` is the device's UTC in seconds since 1970, or None.

    `detail` says in our own words why it is nonsense.
    """

    kind: Kind
    device_time: float | None = None
    detail: str = ""


def read_reply(body: bytes, operation: str = _DATE) -> SoapReply:
    """Read the body of an answer to `operation` (its name without namespace)."""
    if operation != _DATE:
        return parse_reply(body, operation)
    if (fields := _skeletons.read(body)) is not None:
        return SoapReply(Kind.VALID, _to_time(fields))
    reply = parse_reply(body, operation)
    if reply.kind is Kind.VALID:
        _skeletons.learn(body, _date_fields)
    return reply


def parse_reply(body: bytes, operation: str = _DATE) -> SoapReply:
    """The same by the real parser, whatever is known already."""
    if not body.strip():
        return _nonsense("its answer is empty")
    root = _parse(body)
    recovered = root is None
    if recovered:
        root = _recover(body)
    if root is None:
        return _nonsense("its answer is not XML")
    return _read_root(root, f"{operation}Response", recovered)


def read_xml(body: bytes) -> etree._Element | None:
    """The document, strictly read or else forgivingly; None where there is none, or a DOCTYPE."""
    root = _parse(body)
    if root is None:
        root = _recover(body)
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        return None
    return root


def _parse(body: bytes) -> etree._Element | None:
    """The strict reading; None where it is not well formed."""
    try:
        return etree.fromstring(body, _STRICT)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _date_fields(body: bytes) -> Fields | None:
    """The UTC fields of a good date answer, for the skeletons; None where it is not one."""
    root = _parse(body)
    if root is None or _read_root(root, f"{_DATE}Response", False).kind is not Kind.VALID:
        return None
    return _utc_fields(root, recovered=False)


def _nonsense(detail: str) -> SoapReply:
    return SoapReply(Kind.NONSENSE, detail=detail)


def _recover(body: bytes) -> etree._Element | None:
    """A second, forgiving reading: undeclared prefixes, invalid UTF-8, a declaration that lies.

    What does not end with its envelope was cut off: half an answer is none.
    """
    if b"Envelope" not in body[-64:]:
        return None
    try:
        # With `recover`, lxml returns None where nothing at all could be read.
        root: etree._Element | None = etree.fromstring(body, _LENIENT)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root


def _read_root(root: etree._Element, expected: str, recovered: bool) -> SoapReply:
    if root.getroottree().docinfo.internalDTD is not None:
        return _nonsense("its answer holds a DOCTYPE, which is refused")
    if local_name(root) != "Envelope":
        return _nonsense("its answer is XML but not SOAP")
    if _first(root, expected, recovered) is not None:
        return SoapReply(Kind.VALID, _to_time(_utc_fields(root, recovered)))
    fault = _first(root, "Fault", recovered)
    if fault is None:
        return _nonsense("it answers something else than it was asked")
    return SoapReply(Kind.REFUSED if _is_refusal(fault) else Kind.FAULT)


def local_name(element: etree._Element) -> str:
    """The tag without namespace or undeclared prefix; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def _first(root: etree._Element, name: str, recovered: bool) -> etree._Element | None:
    """The first element of that local name, in document order."""
    if not recovered:  # matched by lxml itself, without a step of ours for each element
        return next(root.iter("{*}" + name), None)
    return next((element for element in root.iter() if local_name(element) == name), None)


def _is_refusal(fault: etree._Element) -> bool:
    return any(code.lower() in _REFUSALS for code in _fault_codes(fault))


def _fault_codes(fault: etree._Element) -> Iterator[str]:
    """Local parts of all codes and subcodes of a SOAP 1.1 or 1.2 fault."""
    for element in fault.iter():
        if local_name(element) in _FAULT_CODES:
            yield (element.text or "").strip().rpartition(":")[2]


def _utc_fields(root: etree._Element, recovered: bool) -> Fields:
    """What UTCDateTime holds, year first; empty where it is missing or incomplete.

    A local time alone gives no offset: too many cameras lie about their zone.
    """
    utc = _first(root, "UTCDateTime", recovered)
    if utc is None:
        return ()
    found = {local_name(field): field.text or "" for part in utc for field in part}
    return tuple(found[name] for name in _FIELDS) if found.keys() >= set(_FIELDS) else ()


def _to_time(fields: Fields) -> float | None:
    """Seconds since 1970; None where there are no fields or the date is impossible."""
    if not fields:
        return None
    try:
        year, month, day, hour, minute, second = map(int, fields)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None
