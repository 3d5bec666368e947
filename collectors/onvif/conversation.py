"""Asking a camera one thing: once without a password, once more with it where it wants one.

1. Send the request without authentication; if the camera closes without a byte, send it again at
   once (a silently dropped connection is no outage). What shows a password is never sent again as
   it was, but made anew: the camera may have seen its nonce.
2. If it is answered, that is the answer.
3. If it is refused and the register has credentials that were not refused before, show them: by
   HTTP digest where the camera offers it, else by WS-UsernameToken; by what worked last time, if
   anything did.
4. If that is refused too, remember it and do not show this password again; see `credentials`.
5. A camera that asked for a password lives, whatever it does to the one that it is shown.

Source: DESIGN §5.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from collectors.onvif import envelope
from collectors.onvif.credentials import Accepted, CredentialMemory, Scheme
from collectors.onvif.digest import Challenge, choose_challenge, digest_authorization
from collectors.onvif.envelope import Operation
from collectors.onvif.http import Failure, HttpReply, exchange
from collectors.onvif.reply import Kind, SoapReply, read_reply
from collectors.onvif.username_token import username_token
from collectors.probe import Observation, Target
from kpi.status import Status

_OFFLINE = frozenset({Status.TIMEOUT, Status.REFUSED, Status.UNREACHABLE})
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, read; `clock_offset_s` is the camera's clock minus ours where it told it."""

    http: HttpReply
    soap: SoapReply
    clock_offset_s: float | None = None

    @property
    def good(self) -> bool:
        """It is what was asked for."""
        return 200 <= self.http.code < 300 and self.soap.kind is Kind.VALID

    @property
    def refused(self) -> bool:
        """The camera wants a password, or a better one.

        401 says so whatever its body. 403 does where no fault says otherwise; any other code only
        with a `NotAuthorized` fault in it.
        """
        if self.http.code == 401 or self.soap.kind is Kind.REFUSED:
            return True
        return self.http.code == 403 and self.soap.kind is Kind.NONSENSE

    @property
    def perhaps_refused(self) -> bool:
        """400 without a fault: some cameras refuse like that, others are merely confused."""
        return self.http.code == 400 and self.soap.kind is Kind.NONSENSE


async def ask(
    target: Target,
    operation: Operation,
    deadline: float,
    memory: CredentialMemory,
    clock_offset_s: float | None = None,
    *,
    proven: bool = False,
) -> Answer | Failure:
    """Ask for `operation`; the answer is good, everything else a `Failure` with its observation.

    `clock_offset_s` is the camera's clock minus ours where it is known already. `proven` says that
    the camera took this password a moment ago: then a refusal is one of the operation (some refuse
    so what they merely do not support), and is not remembered of the password.
    """
    request = (
        envelope.date_request(host_of(target))
        if operation is envelope.SYSTEM_DATE_AND_TIME
        else envelope.request(operation, host_of(target))
    )
    answer = await send(target, operation, request, deadline)
    if isinstance(answer, Answer) and _calls_for_password(answer, target, memory):
        answer = await _ask_with_password(
            target, operation, deadline, memory, answer, clock_offset_s, proven
        )
    if isinstance(answer, Failure) or answer.good:
        return answer
    return _service_fault(answer)


def host_of(target: Target) -> str:
    """The value of the Host header."""
    return envelope.host_header(target.address, target.port)


async def send(
    target: Target,
    operation: Operation,
    request: bytes,
    deadline: float,
    again: Callable[[], bytes] | None = None,
) -> Answer | Failure:
    """One exchange, repeated once where the camera closed the connection without a byte.

    `again` makes the request of the repetition where it may not be the same.
    """
    reply = await exchange(target.address, target.port, request, deadline, tls=target.tls)
    if isinstance(reply, Failure) and reply.closed_early:
        request = again() if again else request
        reply = await exchange(target.address, target.port, request, deadline, tls=target.tls)
    if isinstance(reply, Failure):
        return reply
    soap = read_reply(reply.body, operation.name)
    if soap.device_time is None:
        return Answer(reply, soap)
    halfway = time.time() - reply.latency_ms / 2000
    return Answer(reply, soap, soap.device_time - halfway)


def _calls_for_password(answer: Answer, target: Target, memory: CredentialMemory) -> bool:
    """A clear refusal does; an answer that may be one does until the password did not help."""
    if answer.refused:
        return True
    who = (target.address, target.username, target.password)
    if not (answer.perhaps_refused and target.username) or memory.was_refused(*who):
        return False
    return not memory.is_doubted(*who)


async def _ask_with_password(
    target: Target,
    operation: Operation,
    deadline: float,
    memory: CredentialMemory,
    refusal: Answer,
    clock_offset_s: float | None,
    proven: bool,
) -> Answer | Failure:
    who = (target.address, target.username, target.password)
    reason = _why_not_shown(target, memory)
    if reason:
        return _auth_failed(reason)
    known = memory.worked(*who)
    for _ in range(2):  # a second time only for a nonce that went stale: no wrong password
        manner = _choose_manner(refusal, known, clock_offset_s)
        build = partial(_with_password, target, operation, manner)
        answer = await send(target, operation, build(), deadline, partial(build, count=2))
        if isinstance(answer, Failure):
            return _alive(answer)
        if answer.good:
            memory.remember_success(*who, manner.accepted(answer))
        elif answer.perhaps_refused and not proven:
            memory.remember_doubt(*who)
        if not answer.refused:
            return answer
        refusal = answer
        if manner.challenge is None or not _is_stale(answer):
            break
    if proven:
        return _fault("refuses this, though it took the password before")
    clock_unknown = manner.challenge is None and not manner.clock_told
    memory.remember_refusal(*who, clock_unknown=clock_unknown)
    return _auth_failed("refuses the registered user name or password")


def _why_not_shown(target: Target, memory: CredentialMemory) -> str:
    """Why there is no password that may be shown; empty where there is one."""
    if not target.username:
        return "asks for a password, and none is registered"
    who = (target.address, target.username, target.password)
    if not memory.was_refused(*who):
        return ""
    again = "until it changes" if memory.refused_until(*who) == math.inf else "for a while"
    return f"refused this password before; not tried again {again}"


@dataclass(frozen=True, slots=True)
class _Manner:
    """How the password is shown: by a challenge answered, or by a token where there is none.

    `clock_offset_s` is the camera's clock minus ours; `clock_told` says that the camera told it
    just now.
    """

    challenge: Challenge | None
    clock_offset_s: float
    clock_told: bool

    def accepted(self, answer: Answer) -> Accepted:
        """What to remember of a good answer; a clock that it does not tell is as it was taken."""
        scheme = Scheme.DIGEST if self.challenge else Scheme.TOKEN
        told_s = answer.clock_offset_s
        return Accepted(scheme, self.clock_offset_s if told_s is None else told_s)


def _choose_manner(
    refusal: Answer, known: Accepted | None, clock_offset_s: float | None
) -> _Manner:
    """By what worked last, else by a challenge where there is one that can be answered.

    The camera's clock is taken as the caller knows it, as its Date header tells it, as it was last
    time, or for ours, in this order.
    """
    challenge = None
    if known is None or known.scheme is not Scheme.TOKEN:
        challenge = choose_challenge(refusal.http.header_values("www-authenticate"))
    told_s = _told_offset(refusal) if clock_offset_s is None else clock_offset_s
    if told_s is not None:
        return _Manner(challenge, told_s, clock_told=True)
    last_s = known.clock_offset_s if known else None
    return _Manner(challenge, last_s or 0.0, clock_told=False)


def _is_stale(answer: Answer) -> bool:
    challenge = choose_challenge(answer.http.header_values("www-authenticate"))
    return challenge is not None and challenge.stale


def _with_password(target: Target, operation: Operation, manner: _Manner, count: int = 1) -> bytes:
    """A token is new with each call; `count` is how often the challenge was answered with this."""
    if manner.challenge is None:
        created_s = time.time() + manner.clock_offset_s
        security = username_token(target.username, target.password, created_s)
        return envelope.request(operation, host_of(target), security=security)
    authorization = digest_authorization(
        manner.challenge,
        target.username,
        target.password,
        method="POST",
        uri=operation.path,
        count=count,
    )
    return envelope.request(operation, host_of(target), authorization=authorization)


def _told_offset(refusal: Answer) -> float | None:
    """The camera's clock minus ours as its Date header tells it, None where there is none."""
    for value in refusal.http.header_values("date"):
        with suppress(ValueError):
            told = datetime.strptime(value, _HTTP_DATE).replace(tzinfo=UTC)
            return told.timestamp() - time.time()
    return None


def _alive(failure: Failure) -> Failure:
    """Silence of a camera that has just asked for a password is no outage."""
    seen = failure.observation
    if seen.status not in _OFFLINE:
        return failure
    detail = f"asks for a password; shown it: {seen.detail}"
    return Failure(replace(seen, status=Status.SERVICE_FAULT, detail=detail))


def _auth_failed(detail: str) -> Failure:
    return Failure(Observation(Status.AUTH_FAILED, detail=detail))


def _fault(detail: str) -> Failure:
    return Failure(Observation(Status.SERVICE_FAULT, detail=detail))


def _service_fault(answer: Answer) -> Failure:
    """What was wrong with an answer that is neither good nor a refusal; in our words only."""
    code = answer.http.code
    if 300 <= code < 400:
        detail = f"redirects (HTTP {code}), which is not followed"
    elif answer.soap.kind is Kind.FAULT:
        detail = f"answers with a SOAP fault (HTTP {code})"
    elif 200 <= code < 300:
        detail = answer.soap.detail
    else:
        detail = f"answers HTTP {code}"
    return Failure(Observation(Status.SERVICE_FAULT, answer.http.latency_ms, detail=detail))
