"""The file limit goes up as far as it may, never down."""

import resource
from collections.abc import Iterator

import pytest

from collectors.limits import raise_file_limit


@pytest.fixture
def hard() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_is_raised_to_what_is_needed(hard: int) -> None:
    assert raise_file_limit(600) == 600
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (600, hard)


def test_it_is_never_lowered(hard: int) -> None:
    assert raise_file_limit(10) == 512
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (512, hard)


def test_the_hard_limit_holds(hard: int) -> None:
    if hard == resource.RLIM_INFINITY:
        pytest.skip("no hard limit here")  # then nothing can be exceeded
    assert raise_file_limit(hard + 1000) == hard
