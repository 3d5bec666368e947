"""SQL of how far the video checks and the daily inspections have come."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.evidence.tables import VideoState
from app.evidence.video_queries import streams_known
from app.fleet.tables import Device, Observed, ProbeChoice
from kpi.status import Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of `total` devices were looked at since an instant; `good`: with a good result."""

    done: int
    total: int
    good: int


def video_progress(session: Session, since: int, now: int) -> Progress:
    """Cameras whose stream is known; good: a good result holds at `now`."""
    checked = select(func.count()).where(VideoState.checked_at >= since)
    good = select(func.count()).where(
        VideoState.status == Status.INTACT, VideoState.start <= now, VideoState.end > now
    )
    return Progress(session.scalar(checked) or 0, streams_known(session), session.scalar(good) or 0)


def inspection_progress(session: Session, since: int) -> Progress:
    """Devices that are asked by ONVIF; good: the last inspection learnt something."""
    total = select(func.count()).where(Device.probe == ProbeChoice.ONVIF)
    asked = select(func.count()).where(Observed.asked_at >= since)
    learnt = select(func.count()).where(Observed.inspected_at >= since)
    return Progress(
        session.scalar(asked) or 0, session.scalar(total) or 0, session.scalar(learnt) or 0
    )
