"""Something for every page to show: faults, an incident, alerts, messages, a file to import."""

import io
import time
from datetime import UTC, datetime

from sqlalchemy import select, update

from app.accounts.audit import Actor
from app.accounts.permissions import Role
from app.evidence import uploads
from app.fleet.tables import Room
from app.operations.alerts import handling
from app.operations.alerts.queries import insert_alert
from app.operations.alerts.tables import Scope
from app.operations.delivery import queries as delivery_queries
from app.operations.delivery.sending import deliver
from app.operations.delivery.tables import Channel, Severity
from app.operations.faults.keeping import keep_faults
from app.operations.faults.tables import Fault, Incident
from tests.app.operations.delivery.conftest import Register
from tests.browser.district import District

DEAF = "http://127.0.0.1:1/"
"""An address at which nobody listens."""
SUMMARY = {
    "zh": "全网完好率 96.90%（目标 ≥ 98%），自 2027-01-15 16:00 起：3292 台中 102 台不完好。",
    "en": "Fleet intact rate 96.90 % (target ≥ 98%), below target since 2027-01-15 16:00.",
}
FILE = "code,name,address,station\nN1,Good,10.8.0.1,North\nN2,Bad,10.8.0.999,North\nN3,,10.8.0.3,\n"


def make_eventful(district: District) -> dict[str, str]:
    """Write all of it; for the name of each path parameter the row to look at."""
    now = int(time.time())
    fault_id, incident_id = _break(district, now)
    alert_id = _alert(district, now, incident_id)
    recipient_id = _tell(district, now)
    return {
        "alert_id": str(alert_id),
        "rule_id": "1",
        "fault_id": str(fault_id),
        "incident_id": str(incident_id),
        "recipient_id": str(recipient_id),
        "upload_id": _upload(district, now),
    }


def _break(district: District, now: int) -> tuple[int, int]:
    """The faults of the past, and a room under whose incident the first of them stand."""
    keep_faults(district.database, district.settings, now)
    with district.database.write() as session:
        room = session.scalars(select(Room)).first()
        faults = session.scalars(select(Fault.id).order_by(Fault.id).limit(4)).all()
        assert room is not None
        incident = Incident(
            scope="room",
            code=room.code,
            name=room.name,
            onset=now - 900,
            opened_at=now - 800,
            devices=10,
            failed=9,
        )
        session.add(incident)
        session.flush()
        of_room = update(Fault).where(Fault.id.in_(faults[1:]))
        session.execute(of_room.values(incident_id=incident.id))
        return faults[0], incident.id


def _alert(district: District, now: int, incident_id: int) -> int:
    """An open alert that names the incident, and a silence over its rule."""
    began = datetime.fromtimestamp(now - 900, UTC).isoformat()
    cause = {"incident": incident_id, "scope": "room", "name": "North", "failing": 9}
    figures = {"part": 97, "whole": 100, "intact": 97, "assessed": 100, "target": 0.98}
    row = {
        "kind": "fleet_intact_rate",
        "metric": "intact_rate",
        "severity": "critical",
        "opened_at": now - 600,
        "since": now - 900,
        "told_at": now - 600,
        "figures": figures | {"cause": [cause | {"since": began}]},
    }
    with district.database.write() as session:
        alert_id = insert_alert(session, row)
        assert alert_id is not None
        handling.silence(
            session,
            kind="fleet_intact_rate",
            scope=Scope.FLEET,
            scope_code="",
            reason="Uplink is being replaced",
            until=now + 3600,
            actor=Actor("office"),
            now=now,
        )
        return alert_id


def _tell(district: District, now: int) -> int:
    """Recipients whom nothing reaches, and messages to them in each state."""
    register = Register(district.database, district.settings)
    recipient_id = register.add("视频办值班群", Channel.ALERTMANAGER, DEAF)
    with district.database.write() as session:
        for event, severity in (("opened", Severity.CRITICAL), ("resolved", Severity.WARNING)):
            body = {"summary": SUMMARY}
            delivery_queries.enqueue(session, None, event, None, body, now - 90_000, severity)
    deliver(district.database, district.settings, now - 90_000)
    deliver(district.database, district.settings, now)
    return recipient_id


def _upload(district: District, now: int) -> str:
    """A file with good rows and bad ones, waiting to be imported by the system administrator."""
    district.session_of(Role.SYSTEM_ADMIN)
    content = io.BytesIO(FILE.encode())
    owner = f"one {Role.SYSTEM_ADMIN.value}"
    kept = uploads.keep(district.settings, content, owner, "devices", "devices.csv", "", now)
    return kept.id
