"""What the terminal says, in Chinese and in English."""

import os
from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "me": "我",
        "help": "命令",
        "help_say": "文字|发到当前会话",
        "help_private": "lihua;;文字|私聊；编号或姓名都行",
        "help_colon": "::文字|发送以冒号开头的文字",
        "help_open": ":open 名称|打开会话：名称、:list 的序号或人",
        "help_list": ":list|会话与未读",
        "help_history": ":history 条数|当前会话最近的消息（20 条）",
        "help_olu": ":olu|谁在线，用什么设备",
        "help_pu": ":pu 开头|按编号或姓名的开头找人",
        "help_info": ":info|用户、服务器、传输方式、游标、时延、待发",
        "help_transport": ":transport 名称|auto、websocket、sse、longpoll、poll",
        "help_emoji": ":emoji 页|可复制的表情",
        "help_all": ":all|本帮助",
        "help_q": ":q|退出；没发出的下次启动时发",
        "unknown": "没有命令 :{name}。输入 :all 查看全部命令。",
        "unknown_near": "没有命令 :{name}。您是要 :{nearest} 吗？",
        "online": "已连接（{transport}）",
        "online_at": "已连接（{transport}，{server}）",
        "waiting": "连接中断，会自动重连：{reason}",
        "login": "登录已失效，请重新启动并登录。",
        "stopped": "服务器要求停止：{reason}",
        "reloaded": "服务器的记录已更换，会话已重新载入。",
        "send_failed": "发送失败：{reason}　原文：{text}　按 ↑ 取回重发。",
        "not_sent": "有 {count} 条未发出，下次启动时继续发送。",
        "no_conversation": "还没有会话。请用“姓名;;文字”开始。",
        "no_such_conversation": "没有名为“{name}”的会话。输入 :list 查看。",
        "nobody": "没有找到“{name}”。",
        "ambiguous": "“{name}”有多位：{people}。请用编号。",
        "opened": "当前会话：{title}",
        "nobody_online": "没有人在线。",
        "no_history": "还没有消息。",
        "unread": "{count} 条未读",
        "info": "用户 {user}（{name}）\n服务器 {server}\n传输 {transport}，{link}\n游标 {cursor}\n时延 {delay}\n待发 {outbox} 条",
        "link_new": "未连接",
        "link_connecting": "正在连接",
        "link_online": "已连接",
        "link_waiting": "等待重连",
        "link_login": "登录已失效",
        "link_stopped": "已停止",
        "link_closed": "已关闭",
        "status_online": "在线",
        "status_away": "离开",
        "status_busy": "忙碌",
        "status_dnd": "勿扰",
        "private": "私聊",
        "to_private": "私聊 {name}",
        "kept": "未连接，连上后发送：{text}",
        "change_password": "密码是别人设置的，请在浏览器打开 {server}/demo 修改。",
        "unmeasured": "未测得",
        "transports": "传输方式只能是 auto、websocket、sse、longpoll、poll。",
        "failed": "未能完成：{reason}",
        "password": "{user} 的密码：",
        "user": "用户名：",
        "no_server": "{server} 没有服务器；请用 --server 指明（{reason}）",
        "need_user": "请用 --user 指明用户。",
        "need_password": "需要密码：请加 --password-stdin，或在终端中运行。",
        "event_create": "{name} 创建了会话",
        "event_add": "{name} 邀请 {people} 加入",
        "event_join": "{people} 加入",
        "and_more": "{people} 等 {count} 人",
        "event_remove": "{name} 移出了 {people}",
        "event_leave": "{people} 离开了会话",
        "event_title": "会话改名为“{title}”",
        "welcome": "鸿雁 · {name} · 输入 :all 查看命令，:q 退出",
        "elsewhere": "{count} 个会话有未读消息，输入 :list 查看",
        "offline": "（未连接）",
        "pu_usage": "请写出姓名或编号的开头，例如 :pu 张",
        "open_usage": "请写出会话的名称或序号，例如 :open 1",
        "page": "第 {page} 页，共 {pages} 页",
        "hook_failed": "命令 {command} 未能运行：{reason}",
    },
    "en": {
        "me": "me",
        "help": "Commands",
        "help_say": "text|to the current conversation",
        "help_private": "lihua;;text|to one person, by id or name",
        "help_colon": "::text|a text that begins with a colon",
        "help_open": ":open NAME|a conversation by title or number in :list, or a person",
        "help_list": ":list|conversations and what is unread",
        "help_history": ":history N|the last messages of the conversation (20)",
        "help_olu": ":olu|who is online, with which devices",
        "help_pu": ":pu PREFIX|people by the beginning of id or name",
        "help_info": ":info|user, server, transport, cursor, delay, unsent",
        "help_transport": ":transport NAME|auto, websocket, sse, longpoll, poll",
        "help_emoji": ":emoji PAGE|emoji to copy",
        "help_all": ":all|this help",
        "help_q": ":q|quit; what is not sent goes out at the next start",
        "unknown": "There is no command :{name}. :all lists them.",
        "unknown_near": "There is no command :{name}. Did you mean :{nearest}?",
        "online": "Connected ({transport})",
        "online_at": "Connected ({transport}, {server})",
        "waiting": "Connection lost, will reconnect: {reason}",
        "login": "The log-in has ended. Start again to log in.",
        "stopped": "The server asks to stop: {reason}",
        "reloaded": "The server's record was replaced; conversations were loaded again.",
        "send_failed": "Not sent: {reason}  Text: {text}  Press ↑ to get it back.",
        "not_sent": "{count} not sent yet; they go out at the next start.",
        "no_conversation": "There is no conversation yet. Begin with name;;text.",
        "no_such_conversation": "There is no conversation “{name}”. :list shows them.",
        "nobody": "Nobody is called “{name}”.",
        "ambiguous": "“{name}” may be {people}. Use the id.",
        "opened": "Conversation: {title}",
        "nobody_online": "Nobody is online.",
        "no_history": "No messages yet.",
        "unread": "{count} unread",
        "info": (
            "user {user} ({name})\nserver {server}\ntransport {transport}, {link}\n"
            "cursor {cursor}\ndelay {delay}\nunsent {outbox}"
        ),
        "link_new": "not connected",
        "link_connecting": "connecting",
        "link_online": "connected",
        "link_waiting": "waiting to reconnect",
        "link_login": "log-in has ended",
        "link_stopped": "stopped",
        "link_closed": "closed",
        "status_online": "online",
        "status_away": "away",
        "status_busy": "busy",
        "status_dnd": "do not disturb",
        "private": "private",
        "to_private": "to {name}",
        "kept": "Not connected; goes out later: {text}",
        "change_password": "Somebody else chose your password; change it at {server}/demo in a browser.",
        "unmeasured": "not measured",
        "transports": "A transport is auto, websocket, sse, longpoll or poll.",
        "failed": "That did not work: {reason}",
        "password": "Password of {user}: ",
        "user": "User: ",
        "no_server": "No server at {server}; name it with --server ({reason})",
        "need_user": "Name the user with --user.",
        "need_password": "A password is needed: add --password-stdin, or run in a terminal.",
        "event_create": "{name} created the conversation",
        "event_add": "{name} added {people}",
        "event_join": "{people} joined",
        "and_more": "{people} and others, {count} in all",
        "event_remove": "{name} removed {people}",
        "event_leave": "{people} left",
        "event_title": "The conversation is now called “{title}”",
        "welcome": "Hongyan · {name} · :all lists the commands, :q quits",
        "elsewhere": "unread messages in other conversations: {count}; :list shows them",
        "offline": " (not connected)",
        "pu_usage": "Write the beginning of a name or id, for example :pu an",
        "open_usage": "Write a title or a number, for example :open 1",
        "page": "page {page} of {pages}",
        "hook_failed": "The command {command} did not run: {reason}",
    },
}


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """Chinese when the locale is Chinese, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


class Words:
    """The sentences of one language: `words("unknown", name="x")`."""

    def __init__(self, chosen: Language) -> None:
        self.language = chosen
        self._words = _WORDS[chosen]

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)


def keys(chosen: Language) -> set[str]:
    """For the test that neither language lacks a sentence."""
    return set(_WORDS[chosen])
