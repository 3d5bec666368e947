"""`intact probe`: one device step by step, what failed and what to do. Never evidence."""

import asyncio
from dataclasses import dataclass

from collectors.icmp import IcmpProber
from collectors.onvif import envelope
from collectors.onvif.conversation import Answer, ask, host_of, send
from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.http import Failure, HttpReply, exchange
from collectors.probe import Observation, ProbeMethod, Target
from collectors.tcp import TcpProber
from kpi.status import Status


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried: what was seen, and what to do where it failed."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


_NETWORK_REMEDIES = {
    Status.TIMEOUT: "Check the device's power and its link, the address in the register, and the "
    "firewalls on the way.",
    Status.REFUSED: "The host lives, but nothing listens on this port: check the port in the "
    "register, and that the service is switched on in the device.",
    Status.UNREACHABLE: "Check the route from here to the device's network, its switch and uplink.",
    Status.SERVICE_FAULT: "Restart the device; if it stays so, check its firmware and its ONVIF "
    "settings.",
}


async def diagnose(
    target: Target, *, timeout_s: float = 5.0, clock_tolerance_s: float = 10.0
) -> list[Step]:
    """Ask one device by its method, each step within `timeout_s` seconds; ends where one fails.

    For ONVIF: connection, HTTP, SOAP, clock, and the password where a user name is given. A wrong
    password is shown to the device once.
    """
    if target.method is ProbeMethod.PING:
        return [await _ping(target, _deadline(timeout_s))]
    steps = [await _connect(target, _deadline(timeout_s))]
    if target.method is ProbeMethod.ONVIF and steps[0].ok:
        steps += await _diagnose_onvif(target, timeout_s, clock_tolerance_s)
    return steps


def _deadline(timeout_s: float) -> float:
    return asyncio.get_running_loop().time() + timeout_s


def _network_step(name: str, observation: Observation, answered: str) -> Step:
    if observation.status is Status.INTACT:
        return Step(name, True, f"{answered} in {observation.latency_ms:.1f} ms")
    remedy = _NETWORK_REMEDIES.get(
        observation.status, "This host could not ask: see what it says and try again."
    )
    return Step(name, False, observation.detail, remedy)


async def _ping(target: Target, deadline: float) -> Step:
    prober = IcmpProber()
    try:
        return _network_step("Ping", await prober(target, deadline), "answered")
    finally:
        prober.close()


async def _connect(target: Target, deadline: float) -> Step:
    observation = await TcpProber()(target, deadline)
    return _network_step(f"TCP connection to port {target.port}", observation, "connected")


async def _diagnose_onvif(target: Target, timeout_s: float, clock_tolerance_s: float) -> list[Step]:
    memory = CredentialMemory()  # its own: what is tried here binds no collector
    http = await _http_step(target, _deadline(timeout_s))
    if not http.ok:
        return [http]
    answer = await ask(target, envelope.SYSTEM_DATE_AND_TIME, _deadline(timeout_s), memory)
    if isinstance(answer, Failure):
        return [http, _soap_failure(answer.observation)]
    steps = [
        http,
        Step("ONVIF answer", True, f"told its time in {answer.http.latency_ms:.1f} ms"),
        _clock_step(answer, clock_tolerance_s),
    ]
    if target.username:
        steps.append(await _password_step(target, _deadline(timeout_s), memory, answer))
    return steps


async def _http_step(target: Target, deadline: float) -> Step:
    request = envelope.date_request(host_of(target))
    reply = await exchange(target.address, target.port, request, deadline, tls=target.tls)
    if isinstance(reply, Failure) and reply.closed_early:
        reply = await exchange(target.address, target.port, request, deadline, tls=target.tls)
    if isinstance(reply, HttpReply):
        return Step("HTTP answer", True, f"HTTP {reply.code}, {len(reply.body)} bytes")
    remedy = (
        "Something listens on this port, but it does not speak HTTP as asked: check the port, and "
        "whether the device wants TLS (HTTPS) there or not."
    )
    return Step("HTTP answer", False, reply.observation.detail, remedy)


def _soap_failure(observation: Observation) -> Step:
    if observation.status is Status.AUTH_FAILED:
        remedy = (
            "Check user name and password in the register against the device's own ONVIF users "
            "(many devices keep them apart from their web users). After several wrong passwords a "
            "device may be locked for half an hour."
        )
    else:
        remedy = (
            "The web server lives, its ONVIF service does not: check that ONVIF is switched on in "
            "the device and that this is its ONVIF port; restart the device."
        )
    return Step("ONVIF answer", False, observation.detail, remedy)


def _clock_step(answer: Answer, clock_tolerance_s: float) -> Step:
    offset = answer.clock_offset_s
    if offset is None:
        remedy = "Set the device to NTP; until then its clock cannot be judged."
        return Step("Clock", True, "tells no usable UTC time", remedy)
    detail = f"{abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
    if abs(offset) <= clock_tolerance_s:
        return Step("Clock", True, detail)
    remedy = "Set the device's clock, best by NTP; if many are off alike, check this host's clock."
    return Step("Clock", False, detail, remedy)


async def _password_step(
    target: Target, deadline: float, memory: CredentialMemory, time_answer: Answer
) -> Step:
    """GetDeviceInformation is behind the password by the standard; the time is not."""
    operation = envelope.DEVICE_INFORMATION
    request = envelope.request(operation, host_of(target))
    bare = await send(target, operation, request, deadline)
    if isinstance(bare, Answer) and bare.good:
        return Step("Password", True, "the device asks for none: its password proves nothing")
    answer = await ask(target, operation, deadline, memory, time_answer.clock_offset_s)
    if isinstance(answer, Answer):
        known = memory.worked(target.address, target.username, target.password)
        by = f" by {known.scheme.value}" if known else ""
        return Step("Password", True, f"accepted{by}")
    failed = _soap_failure(answer.observation)
    return Step("Password", False, failed.detail, failed.remedy)
