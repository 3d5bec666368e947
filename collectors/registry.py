"""The probers of this release, by the method that the register names."""

from collections.abc import Iterator
from contextlib import contextmanager

from collectors.icmp import IcmpProber
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.prober import OnvifProber
from collectors.probe import ProbeMethod, Probers
from collectors.tcp import TcpProber


@contextmanager
def open_probers(
    clock_tolerance_s: float = 10.0, memory: CredentialMemory | None = None
) -> Iterator[Probers]:
    """All probers, for as long as they are needed.

    Keep them from sweep to sweep: the ONVIF prober remembers which passwords were refused, in
    `memory` where one is given, which may outlive it. Ping
    opens its socket when the first device asks for it; without permission that device is UNKNOWN
    and the observation says what to do.
    """
    ping = IcmpProber()
    try:
        yield {
            ProbeMethod.ONVIF: OnvifProber(clock_tolerance_s, memory),
            ProbeMethod.PING: ping,
            ProbeMethod.TCP: TcpProber(),
        }
    finally:
        ping.close()
