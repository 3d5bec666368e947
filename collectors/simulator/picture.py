"""The tiny picture of a simulated camera: a real baseline JPEG, made here from nothing.

Each block of 8 x 8 points is of one grey, so that only the DC coefficients are coded and the
encoder stays a page long. Source: ITU-T T.81 (JPEG), sections B and F.1.
"""

from collections.abc import Iterable
from functools import lru_cache

_BLOCKS_WIDE, _BLOCKS_HIGH = 16, 9
WIDTH, HEIGHT = 8 * _BLOCKS_WIDE, 8 * _BLOCKS_HIGH


@lru_cache(maxsize=1)
def snapshot() -> bytes:
    """A street at dusk, `WIDTH` x `HEIGHT` points, grey."""
    return encode(
        _BLOCKS_WIDE, _BLOCKS_HIGH, [_grey(i) for i in range(_BLOCKS_WIDE * _BLOCKS_HIGH)]
    )


def _grey(block: int) -> int:
    row, column = divmod(block, _BLOCKS_WIDE)
    if row < _BLOCKS_HIGH // 2:
        return 200 - 18 * row  # sky, darker towards the ground
    return 150 if column in (7, 8) else 60 + 4 * column  # a lane marking on the road


def encode(wide: int, high: int, greys: Iterable[int]) -> bytes:
    """JPEG of `wide` x `high` blocks, row by row, each of one grey (0 black to 255 white)."""
    size = (8 * high).to_bytes(2, "big") + (8 * wide).to_bytes(2, "big")
    dc_codes = bytes([0, 0, 0, 9, *[0] * 12]) + bytes(range(9))  # nine codes of four bits
    ac_codes = bytes([1, *[0] * 15]) + b"\0"  # one code of one bit: end of block
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + bytes([8] * 64)),  # a step of 8 makes DC the grey itself
            _segment(0xC0, b"\x08" + size + b"\x01\x01\x11\0"),
            _segment(0xC4, b"\0" + dc_codes),
            _segment(0xC4, b"\x10" + ac_codes),
            _segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            _scan(greys),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def _scan(greys: Iterable[int]) -> bytes:
    """The entropy-coded part: per block the difference to the one before, then end of block."""
    bits, before = [], 0
    for grey in greys:
        bits.append(_difference(grey - 128 - before) + "0")
        before = grey - 128
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big")
    return packed.replace(b"\xff", b"\xff\0")


def _difference(value: int) -> str:
    length = abs(value).bit_length()
    if not length:
        return "0000"
    low_bits = value if value > 0 else value + (1 << length) - 1
    return f"{length:04b}{low_bits:0{length}b}"
