"""One camera's questions and answers, through onvif-zeep and our own conversation.

zeep writes the question and reads the answer. In between stands `ask`: the exchange with its limits
and deadline, the password shown by digest or token, the protection against lock-out. An answer
reaches zeep only after our own hardened parser has read and mended it. The camera's own address is
the only one that is ever asked: of an XAddr the path alone is used.
"""

import asyncio
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from lxml import etree

from collectors.onvif.conversation import Answer, ask
from collectors.onvif.credentials import Accepted, CredentialMemory
from collectors.onvif.envelope import PATH, Operation
from collectors.onvif.http import Failure
from collectors.onvif.reply import read_xml
from collectors.onvif.wsdl import Wsdl
from collectors.probe import Observation, Target
from kpi.status import Status

_UNREADABLE = Observation(Status.SERVICE_FAULT, detail="its answer does not fit the schema")


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom to ask, until when (in the loop's `time()`), and how long one question may take.

    `clock_offset_s` is the camera's clock minus ours where it is known. `worked_before` is what was
    remembered of the password when the inspection began: anything newer proves it.
    """

    target: Target
    deadline: float
    question_s: float
    clock_offset_s: float | None
    worked_before: Accepted | None


@dataclass(frozen=True, slots=True)
class Question:
    """An operation of a service, asked for at a path; `needed`: every camera has to answer it."""

    service: str
    operation: str
    path: str = PATH
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """A question that got no answer, and what was seen instead."""

    question: Question
    seen: Observation


class Interview:
    """Asks one camera, from a worker thread; the exchanges run on `loop`.

    `notes` tell what was not answered.
    """

    def __init__(
        self, wsdl: Wsdl, loop: asyncio.AbstractEventLoop, terms: Terms, memory: CredentialMemory
    ) -> None:
        self._wsdl, self._loop, self._terms, self._memory = wsdl, loop, terms, memory
        target = terms.target
        self._who = (target.address, target.username, target.password)
        self._services = wsdl.services(self)
        self._question = Question("", "")
        self._was_answered = False
        self.notes: list[Note] = []

    def ask(self, question: Question, parameters: dict[str, Any] | None = None) -> Any:
        """What the camera answers, as zeep reads it; None, and a note, where it does not."""
        self._question, self._was_answered = question, False
        try:
            return getattr(self._services[question.service], question.operation)(parameters)
        except self._wsdl.error as error:
            cause = error.__context__  # onvif-zeep keeps only its words
            if isinstance(cause, _Unanswered):
                self.notes.append(Note(question, cause.seen))
            elif self._was_answered:
                self.notes.append(Note(question, _UNREADABLE))
            else:
                raise  # a defect of ours
            return None

    def post_xml(self, _address: str, envelope: etree._Element, _headers: object) -> object:
        """Called by zeep in place of its transport's. Raises `_Unanswered`."""
        question = self._question
        content = envelope.find("{*}Body")[0]  # type: ignore[index]  # zeep has just made it
        name = etree.QName(content)
        operation = Operation(
            name.localname,
            name.namespace or "",
            question.path,
            etree.tostring(content, encoding="unicode"),
        )
        asked = asyncio.run_coroutine_threadsafe(self._ask(operation), self._loop).result()
        if isinstance(asked, Failure):
            raise _Unanswered(asked.observation)
        content = self._clean(asked)
        self._was_answered = True
        return SimpleNamespace(status_code=200, headers={}, encoding="utf-8", content=content)

    def _clean(self, answer: Answer) -> bytes:
        """What zeep may read of it."""
        root = read_xml(answer.http.body)
        question = self._question
        known = self._wsdl
        content = None if root is None else known.mended(root, question.service, question.operation)
        if content is None:
            raise _Unanswered(_UNREADABLE)
        return content

    async def _ask(self, operation: Operation) -> Answer | Failure:
        """The password is not shown for what a camera need not support and so may refuse anyway,
        unless the camera has just taken it.
        """
        terms = self._terms
        worked = self._memory.worked(*self._who)
        proven = worked is not None and worked is not terms.worked_before
        target = terms.target
        if not (proven or self._question.needed):
            target = replace(target, username="", password="")
        deadline = min(terms.deadline, self._loop.time() + terms.question_s)
        offset = terms.clock_offset_s
        return await ask(target, operation, deadline, self._memory, offset, proven=proven)


class _Unanswered(Exception):
    """Passes what was seen through zeep."""

    def __init__(self, seen: Observation) -> None:
        super().__init__(seen.detail)
        self.seen = seen
