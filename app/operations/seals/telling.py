"""Tells of a seal: hash of the manifest and head of the audit log go to those outside the house.

With both in other hands nobody who holds the machine alone can rewrite a sealed month unnoticed.
"""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence.sealing.tables import MonthSeal
from app.operations.delivery.queries import enqueue
from app.operations.delivery.tables import Severity, Topics
from app.web.language import Language, translations


def tell_of_seal(session: Session, settings: Settings, seal: MonthSeal) -> int:
    """Queue the message about a seal, in its transaction; to how many."""
    head = json.loads(seal.manifest)["audit_head"]
    event = "sealed" if seal.version == 1 else "amended"
    body = {
        "event": event,
        "kind": "month_seal",
        "month": seal.month,
        "version": seal.version,
        "sha256": seal.sha256,
        "audit_head": head,
        "sealed_by": seal.sealed_by,
        "sealed_at": datetime.fromtimestamp(seal.sealed_at, settings.zone).isoformat(),
        "reason": seal.reason,
        "policy": seal.policy,
        "summary": {each.value: _summary(seal, head, settings.zone, each) for each in Language},
        "path": f"/months?month={seal.month}",
    }
    return enqueue(
        session, None, event, None, body, seal.sealed_at, Severity.CRITICAL, Topics.SEALS
    )


def _summary(seal: MonthSeal, head: str, zone: ZoneInfo, language: Language) -> str:
    _ = translations(language).gettext
    text = _(
        "%(month)s was sealed as version %(version)d at %(at)s by %(by)s. "
        "SHA-256 of the manifest: %(sha256)s. Head of the audit log: %(head)s."
    ) % {
        "month": seal.month,
        "version": seal.version,
        "at": f"{datetime.fromtimestamp(seal.sealed_at, zone):%Y-%m-%d %H:%M}",
        "by": seal.sealed_by,
        "sha256": seal.sha256,
        "head": head,
    }
    return text + (_(" Reason: %(reason)s.") % {"reason": seal.reason} if seal.reason else "")
