"""The workbook in which an office fills in its register."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import BinaryIO

from app.database import Database
from app.fleet.queries import GROUPS, group_ids
from app.fleet.record import COLUMNS
from app.tabular.table import EXAMPLE
from app.tabular.xlsx_template import TemplateColumn, write_template

_REQUIRED = {"code", "name"}
_YES_NO = ("是", "否")
_CHOICES: Mapping[str, Sequence[str]] = {
    "kind": ("摄像机", "机房设备", "存储设备", "车载视频"),
    "probe": ("onvif", "ping", "tcp", "不探测"),
    "tls": _YES_NO,
    "critical": _YES_NO,
    "position_class": ("一类", "二类", "三类"),
}
_EXAMPLES: Mapping[str, tuple[str | float | date, str]] = {
    "code": (f"{EXAMPLE}44010600001320000001", "国标编码或本单位的唯一编码，不得重复"),
    "name": ("城东派出所门口枪机", "新设备必填"),
    "kind": ("摄像机", "空白为摄像机"),
    "project": ("智能识别摄像枪", "所属预算项目；新名称导入时自动建立"),
    "station": ("城东派出所", "新名称导入时自动建立"),
    "room": ("城东派出所监控室", "新名称导入时自动建立"),
    "contractor": ("甲公司", "承建或运维单位；新名称导入时自动建立"),
    "power_district": ("城东供电一片", "同时停电的设备填同一片区"),
    "address": ("10.1.2.3", "除“不探测”外必填；只写地址，不写端口"),
    "port": (80, "探测方式为 tcp 时必填；onvif 空白为 80（加密为 443）"),
    "probe": ("onvif", "空白：摄像机为 onvif，机房与存储设备为 ping，车载为不探测"),
    "tls": ("否", "以 HTTPS 访问填“是”；空白为否"),
    "critical": ("否", "机房缺它即停摆的设备填“是”；空白为否"),
    "vendor": ("某厂", ""),
    "model": ("DS-2CD0000", ""),
    "serial": ("0012345678", ""),
    "firmware": ("5.10", ""),
    "mac": ("00:1A:2B:3C:4D:5E", ""),
    "longitude": (113.2644, "十进制度"),
    "latitude": (23.1291, "十进制度"),
    "install_address": ("城东路1号门口", ""),
    "position_class": ("一类", "点位等级"),
    "resolution": ("1920x1080", ""),
    "commissioned_on": (date(2025, 1, 1), "从当天零点起在用；空白为首次导入当天"),
    "decommissioned_on": (date(2028, 1, 1), "从当天零点起停用；在用的设备空白"),
    "lease_ends_on": (date(2028, 1, 1), "仅作记录"),
    "username": ("admin", "ONVIF 用户名"),
    "password": ("", "加密保存；空白则保留原密码。填有密码的文件请妥善保管"),
}


def write_device_template(database: Database, target: BinaryIO) -> None:
    """Write it; groups that the register has already are offered as drop-downs."""
    with database.read() as session:
        groups = {name: sorted(group_ids(session, table)) for name, (table, _) in GROUPS.items()}
    columns = [
        TemplateColumn(
            column.chinese[0],
            *_EXAMPLES[name],
            required=name in _REQUIRED,
            choices=_CHOICES.get(name, groups.get(name, ())),
            closed=name in _CHOICES,
        )
        for name, column in COLUMNS.items()
    ]
    write_template(target, "设备", columns)
