"""The suspensions and exemptions that a sealed month rests on, out of its manifest."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.evidence.exemptions.tables import ExemptionScope
from app.evidence.sealing.queries import seal_in_force
from kpi.calendar import Month


class SealedFact(NamedTuple):
    """Covers the slots with `start ≤ slot start < end` of what `scope` and `code` name."""

    scope: ExemptionScope
    code: str
    start: int
    end: int


class SealedFacts(NamedTuple):
    """Both kinds, as far as they lie in the month."""

    suspended: Sequence[SealedFact]
    exempted: Sequence[SealedFact]


def sealed_facts(session: Session, month: Month) -> SealedFacts | None:
    """Those of the month's seal in force; None where it is open or being amended."""
    seal = seal_in_force(session, month)
    if seal is None:
        return None
    told = json.loads(seal.manifest)["facts"]
    return SealedFacts(
        [_fact(ExemptionScope.DEVICE, each["device"], each) for each in told["suspensions"]],
        [_fact(ExemptionScope(each["scope"]), each["code"], each) for each in told["exemptions"]],
    )


def _fact(scope: ExemptionScope, code: str, told: dict[str, Any]) -> SealedFact:
    start, end = (int(datetime.fromisoformat(told[name]).timestamp()) for name in ("from", "to"))
    return SealedFact(scope, code, start, end)
