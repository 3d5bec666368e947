"""Reading the time out of an answer that differs from an earlier one only in its numbers.

Cameras of one firmware answer GetSystemDateAndTime with the same bytes each minute, but for the
digits. A *skeleton* is such an answer with the numbers between tags taken out. For each skeleton
that was once read and accepted by the real parser, we keep which of the numbers are year, month,
day, hour, minute and second; the next answer of that skeleton then costs a regular expression in
place of an XML document. Whatever is not known goes the whole way, so the result is always the
parser's.
"""

import re
from collections.abc import Callable

_NUMBER = re.compile(rb">([0-9]{1,4})<")
_FIRST_MARK = 1000  # marks are four digits, as long as any number can be
_MAX_NUMBERS = 100
_MAX_SKELETONS = 256
_JOINT = b"\0"  # cannot occur in XML; a body that holds it could be taken for another's skeleton

Fields = tuple[str, ...]
"""Year, month, day, hour, minute, second as written; empty where there is no UTC."""


class Skeletons:
    """The skeletons seen, the oldest dropped first; never more than 256."""

    def __init__(self) -> None:
        self._places: dict[bytes, tuple[int, ...]] = {}

    def read(self, body: bytes) -> Fields | None:
        """The fields of an answer whose skeleton is known, else None."""
        if _JOINT in body:
            return None
        parts = _NUMBER.split(body)
        places = self._places.get(_skeleton(parts))
        if places is None:
            return None
        return tuple(parts[2 * place + 1].decode() for place in places)

    def learn(self, body: bytes, parse: Callable[[bytes], Fields | None]) -> None:
        """Keep the skeleton of `body`, an answer that `parse` accepts.

        The numbers are replaced by marks, and what `parse` makes of that tells which number is
        which. Where it does not come out clean, nothing is kept.
        """
        parts = _NUMBER.split(body)
        numbers = parts[1::2]
        if len(numbers) > _MAX_NUMBERS:
            return
        marks = {str(_FIRST_MARK + place): place for place in range(len(numbers))}
        marked = list(parts)
        marked[1::2] = [b">%b<" % mark.encode() for mark in marks]
        fields = parse(b"".join(marked))
        if fields is None or any(field not in marks for field in fields):
            return
        places = tuple(marks[field] for field in fields)
        if tuple(numbers[place].decode() for place in places) == parse(body):
            self._keep(_skeleton(parts), places)

    def _keep(self, skeleton: bytes, places: tuple[int, ...]) -> None:
        if len(self._places) >= _MAX_SKELETONS:
            del self._places[next(iter(self._places))]
        self._places[skeleton] = places


def _skeleton(parts: list[bytes]) -> bytes:
    return _JOINT.join(parts[::2])
