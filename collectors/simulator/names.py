"""Invented names for the simulated fleet: places, streets, firms. None is a real one.

Chinese is data here: it is what an office's register looks like.
"""

STATION_STEMS = (
    "青石", "柳溪", "云岭", "松涛", "鹤鸣", "竹园", "石桥", "东湾", "南坪",
    "榕荫", "荔香", "望江", "沙洲", "北塘", "凤台", "莲塘", "桂岭", "梅林",
    "水榭", "芦苇", "银杏", "天湖", "紫荆", "海棠", "翠峰", "星河", "古井",
)  # fmt: skip
"""The 27 police stations."""

BRANCH_STATION = "分局机关"
BRANCH_ROOM = "分局8楼视频专网机房"
"""The 28th room, which belongs to the branch itself."""

STREET_ENDINGS = ("大道", "中路", "东街", "西街", "横路", "新村路", "一巷", "环路")
SPOTS = (
    "路口", "公交站", "市场入口", "小学门口", "人行天桥", "停车场", "工业园门", "桥底",
    "加油站旁", "村口牌坊", "地铁口", "公园北门",
)  # fmt: skip
DIRECTIONS = ("东", "南", "西", "北", "东南", "西北")

PROJECT_HD = "高清摄像枪续建"
PROJECT_SMART = "智能识别摄像枪"
PROJECT_ROOMS = "监控室机房运维"
PROJECT_VEHICLES = "移动车载视频运维"

CONTRACTORS_HD = ("岭安视讯工程", "恒泰弱电维护")
"""The stations are shared between these two; they keep the rooms too."""
CONTRACTOR_SMART = "云瞳智能科技"

VENDORS_HD = (("岭视", ("LS-2CD20", "LS-2CD46")), ("海拓", ("HT-B2A", "HT-T3S")))
VENDORS_SMART = (("云瞳", ("YT-FR500", "YT-FR800")),)


def station_name(index: int) -> str:
    """Name of the police station `index` (from 0); past the 27th the stems begin again."""
    round_, stem = divmod(index, len(STATION_STEMS))
    return f"{STATION_STEMS[stem]}{round_ + 1 if round_ else ''}派出所"


def room_name(station: str) -> str:
    """Name of the monitoring room of a police station."""
    return f"{station}监控室"
