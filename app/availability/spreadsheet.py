"""The rows of a document as CSV, and as a table for people."""

import csv
import io

from app.availability.documents import (
    DailyDocument,
    DayRow,
    MonthlyDocument,
    NowDocument,
    NowRow,
    PeriodRow,
)
from app.tabular import harmless
from kpi.policy import DEFAULT_POLICY
from kpi.rates import READINGS, percent

AnyDocument = MonthlyDocument | DailyDocument | NowDocument
VERDICTS = {True: "met", False: "MISSED", None: "–"}


def as_csv(document: AnyDocument) -> str:
    """One line a row, without the total; names are harmless to spreadsheets."""
    fields = list(type(document.total).model_fields)
    if isinstance(document, DailyDocument):
        fields = list(DayRow.model_fields)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    names = [*(name for name in fields if name != "readings"), *(f"reading_{r}" for r in READINGS)]
    writer.writerow(names)
    for row in document.rows:
        cells = row.model_dump(mode="json")
        cells |= {f"reading_{name}": rate for name, rate in cells.pop("readings").items()}
        writer.writerow(csv_cell(cells[name]) for name in names)
    return target.getvalue()


def csv_cell(value: object) -> object:
    """A value as a cell of CSV: truth in lower case, texts harmless to spreadsheets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value) if isinstance(value, str) else value


def for_people(row: PeriodRow | NowRow) -> dict[str, object]:
    """One row with its rates in per cent; a miss never reads as the target."""
    amounts, policy = row.amounts, DEFAULT_POLICY
    intact = percent(amounts.intact, amounts.assessed, policy.intact_target)
    suspended = percent(amounts.suspended, amounts.in_service, policy.suspended_target, "at_most")
    return {
        "group": row.group,
        "name": row.name,
        "devices": row.devices,
        "intact": intact,
        "online": percent(amounts.answered, amounts.assessed),
        "suspended": suspended,
        "coverage": percent(amounts.assessed, amounts.to_be_assessed),
        "intact target": VERDICTS[row.intact_target_met],
        "suspended target": VERDICTS[row.suspended_target_met],
    }
