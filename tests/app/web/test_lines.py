"""A line over days: where it runs, where it breaks, what its edges are."""

import pytest

from app.web.lines import Line, line


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        ([], None, Line(10, "", 0.0, 1.0, None)),
        ([0.99], 0.98, Line(10, "M0 33.33h0", 0.97, 1.0, 66.67)),
        ([1.0, 0.95], None, Line(10, "M0 0.0h0L10 83.33h0", 0.94, 1.0, None)),
        ([0.5, None, 0.5], None, Line(20, "M0 50.0h0M20 50.0h0", 0.49, 0.51, None)),
        ([None, 0.0], None, Line(10, "M10 100.0h0", 0.0, 0.01, None)),
    ],
)
def test_line(values: list[float | None], target: float | None, expected: Line) -> None:
    assert line(values, target) == expected
