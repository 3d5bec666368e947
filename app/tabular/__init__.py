"""Tables as offices hand them over: XLSX, or CSV in UTF-8 or GB18030; a header, a record a row.

The content tells the kind of file, not its name. A title may stand above the header. Rows are
counted as a spreadsheet counts them: blank rows and rows above the header count. Cells are
stripped of blanks around them. What a spreadsheet would take for a formula is written with an
apostrophe before it (`harmless`) and read without it (`restored`).

A row whose key cell begins with 示例 is an example and left out; so are the columns 序号 and
未导入原因.
"""

from app.tabular.columns import Columns
from app.tabular.problems import Problems
from app.tabular.progress import ImportResult, ReportProgress, unreported
from app.tabular.table import Table, open_table
from app.tabular.values import harmless, read_day, restored

__all__ = [
    "Columns",
    "ImportResult",
    "Problems",
    "ReportProgress",
    "Table",
    "harmless",
    "open_table",
    "read_day",
    "restored",
    "unreported",
]
