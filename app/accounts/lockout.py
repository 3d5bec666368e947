"""How long nobody may try again after failed sign-ins. Source: OWASP, Authentication.

Names and addresses are counted apart: a name may be tried from many addresses, many names from
one. An address may stand for a whole office, so it is given more.
"""

FREE_OF_A_NAME, FREE_OF_AN_ADDRESS = 5, 30
FIRST_WAIT_S, LONGEST_WAIT_S = 30, 900
FORGOTTEN_AFTER_S = 3_600


def wait_s(failures: int, failed_at: int, free: int, now: int) -> int:
    """Seconds until the next try; 0 where it may be made at once.

    The first wait is 30 s, each further failure doubles it up to a quarter of an hour.
    """
    if failures < free or now - failed_at >= FORGOTTEN_AFTER_S:
        return 0
    pause = min(FIRST_WAIT_S << min(failures - free, 10), LONGEST_WAIT_S)
    return max(0, failed_at + pause - now)


def counted(failures: int, failed_at: int, now: int) -> int:
    """The number of failures with one more; old ones are forgotten."""
    return 1 if now - failed_at >= FORGOTTEN_AFTER_S else failures + 1
