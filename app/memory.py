"""Memory of the processes that live for months."""

import ctypes

M_ARENA_MAX = -8
ARENAS = 2


def share_arenas() -> None:
    """Let the threads of this process share two arenas; to be called before there are any.

    glibc would give each thread one of its own, and what is freed in one is of no use to another:
    tens of megabytes in the web process. Elsewhere nothing happens. Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
