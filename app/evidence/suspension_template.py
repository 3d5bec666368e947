"""The workbook in which an office lists its suspensions (报停)."""

from typing import BinaryIO

from app.evidence.suspensions import HEADERS, REQUIRED_CELLS
from app.tabular.table import EXAMPLE
from app.tabular.xlsx_template import TemplateColumn, write_template

_EXAMPLES = {
    "device_code": (f"{EXAMPLE}44010600001320000001", "设备须已在一机一档中"),
    "from": ("2026-02-01", "日期（从零点起）或 2026-02-01 08:30"),
    "to": ("2026-02-28", "日期（含当天）或时刻；未定则空白"),
    "reason": ("市政施工，点位占用", ""),
    "approved_by": ("视频办 王某", ""),
    "document": ("报停〔2026〕5号", "批准文件"),
}


def write_suspension_template(target: BinaryIO) -> None:
    """Dates are text there: as a date of Excel the last day could not be told from its midnight."""
    columns = [
        TemplateColumn(HEADERS[name][0], example, note, required=name in REQUIRED_CELLS)
        for name, (example, note) in _EXAMPLES.items()
    ]
    write_template(target, "报停", columns)
