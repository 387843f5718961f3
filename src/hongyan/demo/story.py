"""Who is in the demonstration organisation, and what they have written to each other. Invented people of an invented company."""

import msgspec

from hongyan.messaging import LOBBY


class Person(msgspec.Struct, frozen=True):
    account: str
    name: str


class Group(msgspec.Struct, frozen=True):
    key: str
    title: str
    members: tuple[str, ...]
    """The first is its owner."""


class Line(msgspec.Struct, frozen=True):
    """A message: how many working days ago (0: today), when, where, by whom."""

    day: int
    at: str
    """HH:MM; today `-N`, N minutes before now."""
    where: str
    """A group's key, or two accounts with `+` between."""
    who: str
    text: str


ADMINISTRATOR = Person("admin", "系统管理员")

PEOPLE = (
    Person("zhangwei", "张伟"),
    Person("lina", "李娜"),
    Person("wanglei", "王磊"),
    Person("chenjing", "陈静"),
    Person("liuyang", "刘洋"),
    Person("lihua", "李华"),
    Person("zhaomin", "赵敏"),
    Person("sunli", "孙丽"),
    Person("zhouqiang", "周强"),
    Person("wufang", "吴芳"),
    Person("zhengkai", "郑凯"),
    Person("huangting", "黄婷"),
)

GROUPS = (
    Group("research", "研发部", ("zhangwei", "lina", "wanglei", "chenjing", "liuyang")),
    Group("market", "市场部", ("lihua", "zhaomin", "sunli", "zhouqiang")),
    Group("office", "行政与财务", ("wufang", "zhengkai", "huangting", "admin")),
    Group("spring", "新版官网上线", ("lina", "zhangwei", "liuyang", "lihua", "sunli", "zhengkai", "admin")),
)

LINES = (
    Line(5, "09:02", LOBBY, "wufang", "各位早，鸿雁从今天起正式启用。以后公司通知都发在大厅，部门的事请在部门群里说。"),
    Line(5, "09:05", LOBBY, "zhangwei", "收到 👍"),
    Line(5, "09:06", LOBBY, "lihua", "收到。手机和电脑可以同时在线吗？"),
    Line(5, "09:08", LOBBY, "zhengkai", "可以，几台设备都行，已读会自动同步。"),
    Line(5, "09:11", LOBBY, "sunli", "太好了，终于不用自己给自己发邮件了"),
    Line(5, "09:30", "research", "zhangwei", "早会改到这里用文字开，每人三句话：昨天做了什么、今天做什么、卡在哪里。"),
    Line(5, "09:33", "research", "lina", "昨天把搜索接口的分页改完了，今天补测试，没有卡住的。"),
    Line(5, "09:34", "research", "wanglei", "昨天查导出超时，原因找到了：一次读了整张表。今天改成分批，晚上发布。"),
    Line(5, "09:36", "research", "chenjing", "我在写验收用例，需要一套干净的测试数据，谁那里有？"),
    Line(5, "09:37", "research", "liuyang", "我有，下午给你。"),
    Line(5, "09:38", "research", "chenjing", "谢谢～"),
    Line(5, "10:20", "spring", "lina", "拉个群，新版官网的事都放这里。目标：下周三上线，第一版只做首页、产品、招聘三页。"),
    Line(5, "10:22", "spring", "lihua", "首页文案我们这周四给。产品图要横版还是竖版？"),
    Line(5, "10:23", "spring", "liuyang", "横版，1600×900，别超过 300 KB。"),
    Line(5, "10:24", "spring", "sunli", "好，我来做。"),
    Line(5, "14:10", "zhangwei+lina", "zhangwei", "官网这次你来牵头，有什么需要我协调的直接说。"),
    Line(5, "14:12", "zhangwei+lina", "lina", "好。目前只担心域名证书，快到期了，得提前换。"),
    Line(5, "14:13", "zhangwei+lina", "zhangwei", "我让郑凯今天就去办。"),
    Line(4, "09:31", "research", "zhangwei", "早。昨晚发布顺利吗？"),
    Line(4, "09:32", "research", "wanglei", "顺利。导出从 40 秒降到 3 秒，内存也稳了。"),
    Line(4, "09:33", "research", "lina", "厉害！"),
    Line(
        4, "09:35", "research", "wanglei", "改动其实只有一行：\n```python\nfor batch in pages(rows, 500):\n    write(batch)\n```"
    ),
    Line(4, "09:36", "research", "liuyang", "一行抵一周 😂"),
    Line(4, "10:02", "market", "lihua", "下个月的行业展会，报名表我填好了，展位在 **B12**。谁去现场？"),
    Line(4, "10:04", "market", "zhouqiang", "我去。"),
    Line(4, "10:05", "market", "zhaomin", "我也可以，顺便见两家老客户。"),
    Line(4, "10:07", "market", "lihua", "好，那就你们两位。宣传册还剩多少？"),
    Line(4, "10:15", "market", "sunli", "刚数过，二百来本，不够，我今天下单再印五百。"),
    Line(4, "11:40", "office", "huangting", "提醒：本月报销周五下午五点截止，过时顺延到下月。"),
    Line(4, "11:41", "office", "zhengkai", "证书续期的费用我走哪个科目？"),
    Line(4, "11:43", "office", "huangting", "信息化服务费。发票抬头写全称。"),
    Line(4, "15:20", "lihua+sunli", "lihua", "印刷的报价帮我留一份，展会预算要用。"),
    Line(4, "15:22", "lihua+sunli", "sunli", "好的，三家里选了中间那家，纸好一些，贵八十块。"),
    Line(4, "15:23", "lihua+sunli", "lihua", "可以。"),
    Line(3, "09:15", LOBBY, "wufang", "通知：本周五下午三点消防演练，听到铃声请从**东侧楼梯**下楼，到停车场集合。"),
    Line(3, "09:16", LOBBY, "zhouqiang", "电梯停用吗？"),
    Line(3, "09:17", LOBBY, "wufang", "停用，大约二十分钟。"),
    Line(3, "09:40", "research", "chenjing", "验收用例写完了，一共 64 条，失败 3 条，都记在缺陷单里了。"),
    Line(3, "09:42", "research", "liuyang", "第 17 条我看一下，像是时区的问题。"),
    Line(3, "11:05", "research", "liuyang", "果然是时区。服务器存的是 UTC，页面又减了一次 8 小时 🤦"),
    Line(3, "11:06", "research", "chenjing", "验证通过，关单。"),
    Line(3, "13:50", "spring", "sunli", "首页的图传好了，手机上看也清楚。"),
    Line(3, "13:55", "spring", "lihua", "文案定稿：*鸿雁传书，使命必达*。大家看看？"),
    Line(3, "13:57", "spring", "lina", "我喜欢。"),
    Line(3, "13:58", "spring", "zhangwei", "同意，简洁。"),
    Line(3, "14:02", "spring", "liuyang", "已放到预览站，刷新就能看到。"),
    Line(3, "16:30", "wanglei+chenjing", "chenjing", "导出那个修复，要不要也补一条性能用例？"),
    Line(3, "16:32", "wanglei+chenjing", "wanglei", "要，十万行，限时十秒。"),
    Line(3, "16:33", "wanglei+chenjing", "chenjing", "👌"),
    Line(2, "09:30", "research", "zhangwei", "今天的重点：官网预发布。其他改动先不合并。"),
    Line(2, "09:32", "research", "wanglei", "明白，我的分支放到下周。"),
    Line(2, "10:10", "market", "zhaomin", "两家老客户都约好了，展会第二天上午。"),
    Line(2, "10:12", "market", "lihua", "漂亮！到时候带上新的宣传册。"),
    Line(2, "11:00", "spring", "zhengkai", "证书换好了，有效期一年，到期前三十天会有提醒。"),
    Line(2, "11:02", "spring", "lina", "收到，清单又少一项。还剩：\n1. 招聘页的联系方式\n2. 旧地址跳转\n3. 手机端菜单"),
    Line(2, "11:10", "spring", "lihua", "1 我今天给。"),
    Line(2, "11:11", "spring", "liuyang", "2 和 3 我来。"),
    Line(2, "17:45", "spring", "liuyang", "都做完了，预览站可以看。"),
    Line(2, "17:58", "zhangwei+lina", "lina", "进度比计划快一天，明天可以先走一遍上线演练。"),
    Line(2, "18:01", "zhangwei+lina", "zhangwei", "好，辛苦了，早点回去。"),
    Line(1, "09:05", "office", "wufang", "新到的两把椅子放在会议室了，谁的腰不好先用。"),
    Line(1, "09:07", "office", "huangting", "我！谢谢吴姐"),
    Line(1, "09:31", "research", "lina", "上午十点上线演练，半小时，大家别动数据库。"),
    Line(1, "10:34", "research", "lina", "演练完成：切换 12 秒，回退 9 秒，没有丢数据。"),
    Line(1, "10:35", "research", "zhangwei", "干得漂亮。"),
    Line(1, "14:20", LOBBY, "lihua", "展会需要两位懂产品的同事轮流站台，研发的朋友谁有兴趣？管盒饭 😄"),
    Line(1, "14:22", LOBBY, "liuyang", "盒饭什么标准？"),
    Line(1, "14:23", LOBBY, "lihua", "两荤一素加酸奶。"),
    Line(1, "14:24", LOBBY, "liuyang", "成交。"),
    Line(1, "16:05", "wufang+admin", "wufang", "下周一有位新同事入职，麻烦提前开个账号，名字我晚点发你。"),
    Line(0, "-190", "research", "wanglei", "昨天的备份做过一次恢复演练，十分钟，数据一条不少。"),
    Line(0, "-186", "research", "zhangwei", "这个习惯好，以后每月一次。"),
    Line(0, "-150", "spring", "lina", "上线时间定了：下周三 20:00。需要在场的：我、刘洋、郑凯。"),
    Line(0, "-148", "spring", "zhengkai", "收到，我带热水壶。"),
    Line(0, "-147", "spring", "liuyang", "收到。"),
    Line(0, "-95", "market", "sunli", "宣传册到货了，颜色比上次正，放在前台，大家来拿。"),
    Line(0, "-90", "market", "zhouqiang", "看到了，质量不错。"),
    Line(0, "-62", "lihua+sunli", "sunli", "多印了一箱贴纸，送客户正好。"),
    Line(0, "-40", LOBBY, "wufang", "前台有刚到的橘子，先到先得 🍊"),
    Line(0, "-38", LOBBY, "chenjing", "来了来了"),
    Line(0, "-35", LOBBY, "zhouqiang", "给我留两个！"),
    Line(0, "-12", "wufang+admin", "wufang", "新同事叫何雨，雨水的雨，放在市场部。"),
)
