"""Memory of the processes that live for months."""

import ctypes

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
ARENAS = 2
LARGE_BYTES = 256 * 1024
GIVE_BACK_EVERY_S = 30

_libc = ctypes.CDLL(None)


def keep_lean() -> None:
    """Let what this process frees go back to the system; to be called before it has threads.

    glibc would give each thread an arena of its own, and what is freed in one is of no use to
    another; and once it has seen large blocks freed, it would take ever larger ones from the
    arenas, where they leave holes. Elsewhere nothing happens. Source: mallopt(3).
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Hand free pages back to the system, also those between pages in use: milliseconds.

    A large answer or a day's ledger leaves tens of megabytes of them. Source: malloc_trim(3).
    """
    malloc_trim = getattr(_libc, "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
