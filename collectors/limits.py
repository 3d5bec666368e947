"""How many sockets this process may hold at a time."""

import resource


def raise_file_limit(needed: int) -> int:
    """Raise the soft limit of open files towards `needed`, never past the hard limit.

    Returns the soft limit in force afterwards: below `needed` where the hard limit does not allow
    more, so that the caller can say so or ask for less at a time. It never lowers a limit and never
    raises an error.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed if soft == resource.RLIM_INFINITY else soft
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # a sandbox may forbid it, or the kernel's own ceiling is lower
        return soft
    return wanted
