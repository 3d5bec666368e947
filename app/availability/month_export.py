"""The figures of a month as a report to hand on: XLSX or CSV, in the reader's language.

A rate is the number that is printed (DESIGN §4): 0.9799 where 97.999 % is a miss, so that a cell's
format can show no 98.00 % and a comparison with the target says what the verdict says. The hours
beside it have four decimals: each × 3600, rounded, is the seconds of the REST interface.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.availability.figures import SCALES, Figure
from app.availability.months import GROUPINGS, MonthFigures, MonthLine, SealShown
from app.fleet.roster import Grouping
from app.tabular.report import Form, Report, ReportColumn, Value
from app.web.language import Language, message, translations

Translate = Callable[[str], str]
HOURS = (
    ("intact", message("Intact (h)")),
    ("impaired", message("Impaired (h)")),
    ("offline", message("Offline (h)")),
    ("unknown", message("Unknown (h)")),
    ("suspended", message("Suspended (h)")),
    ("exempted", message("Exempted (h)")),
)
HOUR_S = 3600
MINUTE = "%Y-%m-%d %H:%M"


def month_report(found: MonthFigures, language: Language, kind: str, written: datetime) -> Report:
    """The report; `kind` is what is told of, a text of the catalogue, `written` local time."""
    _ = translations(language).gettext
    grouping = found.asked.grouping
    title = f"{_('Availability')} {found.reached.month}"
    if not found.reached.is_over:
        title += f" ({_('so far')})"
    return Report(
        name=str(found.reached.month),
        title=f"{title} · {_(kind)} · {_(GROUPINGS[grouping])}",
        facts=_facts(found, written, _),
        columns=_columns(grouping, language),
        rows=[_row(line, line.name or _("none of these"), _) for line in found.lines],
        total=_row(replace(found.total, code=None), _("Total"), _),
    )


def _facts(found: MonthFigures, written: datetime, _: Translate) -> list[tuple[str, str]]:
    until = found.reached.until
    state = _("complete")
    if until is not None:
        state = _("not over: so far, until %(until)s") % {"until": until.strftime(MINUTE)}
    return [
        (_("Calendar month"), str(found.reached.month)),
        (_("State"), state),
        (_("Time zone"), found.timezone),
        (_("Policy"), found.policy),
        *_seal(found.seal, _),
        (_("Written"), written.strftime(MINUTE)),
    ]


def _seal(seal: SealShown | None, _: Translate) -> list[tuple[str, str]]:
    if seal is None:
        return []
    version = _("version %(version)d, %(at)s") % {
        "version": seal.version,
        "at": seal.at.strftime(MINUTE),
    }
    return [(_("Sealed"), version), (_("SHA-256 of the manifest"), seal.sha256)]


def _columns(grouping: Grouping, language: Language) -> list[ReportColumn]:
    _ = translations(language).gettext
    return [
        ReportColumn(_("Code")),
        ReportColumn(_(GROUPINGS[grouping])),
        ReportColumn(_("Assessed"), Form.COUNT),
        ReportColumn(_("Intact rate"), Form.PERCENT),
        ReportColumn(f"{_('Intact target')} {_aim('intact')}"),
        ReportColumn(_("Online rate"), Form.PERCENT),
        ReportColumn(_("Suspended rate"), Form.PERCENT),
        ReportColumn(f"{_('Suspended target')} {_aim('suspended')}"),
        ReportColumn(_("Coverage"), Form.PERCENT),
        ReportColumn(_("Basis")),
        *(ReportColumn(_(title), Form.HOURS) for _key, title in HOURS),
    ]


def _aim(key: str) -> str:
    """The target of a rate, such as `≥ 98%`."""
    scale = SCALES[key]
    side = "≥" if scale.direction == "at_least" else "≤"
    return "" if scale.target is None else f"{side} {float(scale.target * 100):g}%"


def _row(line: MonthLine, name: str, _: Translate) -> list[Value]:
    return [
        line.code,
        name,
        line.devices,
        _printed(line.intact),
        _verdict(line.intact, _),
        _printed(line.online),
        _printed(line.suspended),
        _verdict(line.suspended, _),
        _printed(line.coverage),
        _(line.basis),
        *(round(getattr(line.amounts, key) / HOUR_S, 4) for key, _title in HOURS),
    ]


def _printed(rate: Figure) -> float | None:
    return None if rate.hundredths is None else rate.hundredths / 10_000


def _verdict(rate: Figure, _: Translate) -> str | None:
    return None if rate.verdict is None else _(rate.verdict.value)
