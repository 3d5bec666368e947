"""REST: the workbook of a month."""

import io
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.availability.api import FiltersDep, MonthDep
from app.operations.workbook.contents import month_contents
from app.web.language import Language, language_of
from app.web.problems import problem_responses
from app.web.requests import WORKBOOK, DatabaseDep, SettingsDep

router = APIRouter(tags=["availability"], dependencies=[Depends(Allowed(Permission.READ_SAMPLES))])


@router.get(
    "/availability/workbook",
    response_class=Response,
    responses={200: {"content": {WORKBOOK: {}}}, **problem_responses(404, 422)},
)
def read_workbook(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    month: MonthDep,
    filters: FiltersDep,
    lang: Annotated[Language | None, Query(description="Of its texts")] = None,
) -> Response:
    """The month as XLSX: figures by group and camera, outages, suspensions, exemptions."""
    from app.operations.workbook.writing import write_workbook  # xlsxwriter is seldom needed

    contents = month_contents(database, settings, month, filters, int(time.time()))
    target = io.BytesIO()
    write_workbook(target, contents, lang or language_of(request), settings.zone)
    headers = {
        "Content-Disposition": f'attachment; filename="intact-{month}.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(target.getvalue(), media_type=WORKBOOK, headers=headers)
