"""All SQL over the video checks."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.evidence.queries import covers, put_all
from app.evidence.tables import DeviceState, VideoSpan, VideoState
from app.evidence.video_rules import Span
from app.fleet.roster import in_service_on
from app.fleet.tables import Assignment, Device, DeviceKind, Observed, ProbeChoice
from kpi.ledger import Cover
from kpi.status import DEFAULT_CLASSES, SlotClass, Status

_ANSWERING = [
    int(status)
    for status, slot_class in DEFAULT_CLASSES.items()
    if slot_class in (SlotClass.INTACT, SlotClass.IMPAIRED)
]


class VideoRow(NamedTuple):
    """What holds of a camera (see `VideoState`)."""

    device_id: int
    checked_at: int
    status: int
    start: int
    end: int
    detail: str


_STATE = VideoState.__table__.c
_RESULTS_SINCE = select(*(_STATE[name] for name in VideoRow._fields)).where(
    _STATE.checked_at >= bindparam("checked_at")
)  # built once: every sweep asks this


def results_since(session: Session, checked_at: int) -> list[VideoRow]:
    """What holds of the cameras that were checked at or after an instant."""
    rows = session.connection().execute(_RESULTS_SINCE, {"checked_at": checked_at})
    return [VideoRow(*row) for row in rows]


def good_video_covers(
    session: Session, device_ids: Sequence[int], start: int, end: int
) -> list[Cover]:
    """The good checks of these devices that hold in `[start, end)`; rows are their places here."""
    found = session.execute(
        select(VideoSpan.device_id, VideoSpan.start, VideoSpan.end).where(
            VideoSpan.end > start, VideoSpan.start < end, VideoSpan.status == Status.INTACT
        )
    ).all()
    return covers(found, device_ids)


def good_video_at(session: Session, tick: int) -> set[int]:
    """The devices whose good check holds at a tick that is not long past."""
    found = select(VideoState.device_id).where(
        VideoState.status == Status.INTACT, VideoState.start <= tick, VideoState.end > tick
    )
    return set(session.scalars(found))


def due_cameras(session: Session, day: date, now: int, limit: int) -> list[tuple[int, str, str]]:
    """(device id, stream address, snapshot address) of the cameras to be checked now.

    Those are ONVIF cameras in service on the day whose stream is known, and which answered at the
    minute's last look. The most overdue come first, but those never checked after all others.
    """
    due = (
        select(Device.id, Observed.stream_uri, func.coalesce(Observed.snapshot_uri, ""))
        .join(Assignment, Assignment.device_id == Device.id)
        .join(Observed, Observed.device_id == Device.id)
        .join(DeviceState, DeviceState.device_id == Device.id)
        .outerjoin(VideoState, VideoState.device_id == Device.id)
        .where(
            in_service_on(day),
            Device.address.is_not(None),
            Device.kind == DeviceKind.CAMERA,
            Device.probe == ProbeChoice.ONVIF,
            Observed.stream_uri.is_not(None),
            DeviceState.status.in_(_ANSWERING),
            or_(VideoState.next_at.is_(None), VideoState.next_at <= now),
        )
        .order_by(func.coalesce(VideoState.next_at, now + 1), Device.id)
        .limit(limit)
    )
    return [(row[0], row[1] or "", row[2]) for row in session.execute(due)]


def streams_known(session: Session) -> int:
    """How many devices there are whose stream is known."""
    known = select(func.count()).where(Observed.stream_uri.is_not(None))
    return session.scalar(known) or 0


def video_states(session: Session, device_ids: Iterable[int]) -> dict[int, VideoState]:
    """The state of these devices, where there is one; not to be changed through the ORM."""
    found = session.scalars(select(VideoState).where(VideoState.device_id.in_(list(device_ids))))
    return {state.device_id: state for state in found}


def put_video_states(session: Session, states: Sequence[dict[str, Any]]) -> None:
    """Each row holds all columns."""
    put_all(session, VideoState, states)


def put_video_spans(session: Session, spans: Iterable[tuple[int, Span]]) -> None:
    """(device id, span): begin, extend or cut short."""
    put_all(
        session,
        VideoSpan,
        [{"device_id": device_id, **span._asdict()} for device_id, span in spans],
    )
