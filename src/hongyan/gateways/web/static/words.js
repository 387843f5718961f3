// Every word of the interface in both languages, and how each writes times and numbers.

const WORDS = {
  // key: [Chinese, English]
  name: ['鸿雁', 'Hongyan'],
  motto: ['鸿雁传书，字字可达', 'Carried by wild geese, not a word lost'],
  account: ['账号', 'Account'],
  password: ['密码', 'Password'],
  log_in: ['登录', 'Log in'],
  logging_in: ['正在登录…', 'Logging in…'],
  log_out: ['退出登录', 'Log out'],
  wrong_password: ['账号或密码不对', 'The account or the password is wrong'],
  rate_limited: ['尝试太频繁，请等 {seconds} 秒再试', 'Too many attempts. Try again in {seconds} s'],
  may_retry: ['现在可以再试了', 'You can try again now'],
  unreachable: ['连不上服务器，请检查网络后再试', 'The server cannot be reached. Check the network and try again'],
  needs_both: ['请填写账号和密码', 'Enter your account and password'],
  token_ended: ['登录已失效，请重新登录', 'Your session has ended. Please log in again'],
  password_notice: ['这个密码是别人替你设的，请换成自己的。', 'Somebody else chose this password. Please set your own.'],
  password_change: ['修改密码', 'Change password'],
  password_old: ['现在的密码', 'Current password'],
  password_new: ['新密码', 'New password'],
  password_again: ['再输一遍', 'New password again'],
  password_differs: ['两次输入的新密码不一样', 'The two new passwords differ'],
  password_wrong_old: ['现在的密码不对', 'The current password is wrong'],
  password_done: ['密码已修改，其他设备需要重新登录', 'Password changed. Other devices have to log in again'],
  later: ['以后再说', 'Not now'],
  save: ['保存', 'Save'],
  cancel: ['取消', 'Cancel'],
  close: ['关闭', 'Close'],
  back: ['返回', 'Back'],
  retry: ['重试', 'Try again'],
  messages: ['消息', 'Messages'],
  search: ['搜索会话', 'Find a conversation'],
  nothing_found: ['没有叫这个名字的会话', 'No conversation of that name'],
  new_conversation: ['发起会话', 'New conversation'],
  language: ['English', '中文'],
  theme: ['外观：{mode}', 'Theme: {mode}'],
  theme_system: ['跟随系统', 'system'],
  theme_light: ['浅色', 'light'],
  theme_dark: ['深色', 'dark'],
  me: ['我的账号', 'My account'],
  status: ['状态', 'Status'],
  online: ['在线', 'Online'],
  away: ['离开', 'Away'],
  busy: ['忙碌', 'Busy'],
  dnd: ['请勿打扰', 'Do not disturb'],
  offline: ['不在线', 'Offline'],
  no_conversations: ['还没有会话。', 'No conversations yet.'],
  pick_conversation: ['选一个会话，或者发起新的。', 'Pick a conversation or start a new one.'],
  no_messages: ['还没有消息，打个招呼吧。', 'No messages yet. Say hello.'],
  load_failed: ['没能载入消息，请再试一次', 'The messages could not be loaded. Please try again'],
  draft: ['草稿', 'Draft'],
  you: ['我', 'You'],
  people_count: ['{n} 人', '{n} people'],
  unread_count: ['{n} 条未读', '{n} unread'],
  unread_below: ['以下是新消息', 'New messages'],
  to_newest: ['回到最新', 'Jump to newest'],
  loading_older: ['正在载入更早的消息…', 'Loading earlier messages…'],
  beginning: ['这里是开头', 'This is the beginning'],
  typing_one: ['{who} 正在输入…', '{who} is typing…'],
  typing_many: ['{n} 人正在输入…', '{n} people are typing…'],
  write_to: ['发给 {who}', 'Write to {who}'],
  send: ['发送', 'Send'],
  hint: ['Enter 发送，Shift+Enter 换行', 'Enter sends, Shift+Enter breaks the line'],
  too_long: ['太长了，请分成几条发送', 'Too long. Send it in parts'],
  sending: ['正在发送', 'Sending'],
  sent: ['已发送', 'Sent'],
  read_by: ['已读', 'Read'],
  read_by_n: ['{n} 人已读', 'Read by {n}'],
  failed: ['发送失败，点此重试', 'Not sent. Click to try again'],
  discard: ['删除', 'Discard'],
  said: ['{who}：{text}', '{who}: {text}'],
  group_title: ['群名称', 'Group name'],
  find_people: ['输入姓名或账号的开头', 'Start of a name or account'],
  no_people: ['没有找到这个人', 'Nobody found'],
  start_chat: ['开始聊天', 'Start chatting'],
  create_group: ['建群（{n} 人）', 'Create group ({n})'],
  pick_people: ['选一个人单聊，选几个人建群。', 'Pick one person to chat, several for a group.'],
  members: ['成员', 'Members'],
  details: ['会话详情', 'Details'],
  add_members: ['添加成员', 'Add members'],
  add_n: ['添加 {n} 人', 'Add {n}'],
  remove: ['移出', 'Remove'],
  remove_who: ['把 {who} 移出群', 'Remove {who} from the group'],
  rename: ['修改群名', 'Rename'],
  leave: ['退出群聊', 'Leave group'],
  leave_sure: ['退出后收不到新消息。再点一次退出', 'You will get no more messages. Click again to leave'],
  more_members: ['更多成员', 'More members'],
  already_member: ['已在群里', 'Already a member'],
  owner: ['群主', 'Owner'],
  admin: ['管理员', 'Admin'],
  member: ['成员', 'Member'],
  removed_you: ['你已不在“{title}”中', 'You are no longer in “{title}”'],
  note_create: ['{who} 建立了群聊', '{who} created the group'],
  note_create_direct: ['会话开始', 'The conversation began'],
  note_add: ['{who} 邀请了 {users}', '{who} added {users}'],
  note_remove: ['{who} 移出了 {users}', '{who} removed {users}'],
  note_leave: ['{users} 退出了群聊', '{users} left the group'],
  note_role: ['{who} 将 {users} 设为{role}', '{who} made {users} {role}'],
  note_title: ['{who} 将群名改为“{title}”', '{who} renamed the group to “{title}”'],
  recalled: ['消息已撤回', 'This message was taken back'],
  note_history: ['{who} 修改了历史消息的可见范围', '{who} changed who may read the history'],
  note_owner: ['，{owner} 成为群主', '; {owner} is the owner now'],
  and_more: ['{names} 等 {n} 人', '{names} and others ({n})'],
  transport: ['传输方式', 'Transport'],
  ws: ['WebSocket', 'WebSocket'],
  sse: ['SSE', 'SSE'],
  long: ['长轮询', 'Long poll'],
  short: ['短轮询', 'Short poll'],
  state: ['连接', 'State'],
  idle: ['未连接', 'Not connected'],
  connecting: ['连接中', 'Connecting'],
  open: ['已连接', 'Connected'],
  waiting: ['等待重连', 'Waiting'],
  stopped: ['已停止', 'Stopped'],
  cursor: ['游标', 'Cursor'],
  delay: ['延迟', 'Delay'],
  delay_hint: ['从发出到自己收到的时间', 'From sending to receiving it oneself'],
  received: ['收', 'In'],
  transmitted: ['发', 'Out'],
  bytes_hint: ['正文字节，不含 HTTP 头', 'Payload bytes without HTTP headers'],
  events: ['事件', 'Events'],
  requests: ['请求', 'Requests'],
  compare: ['四种方式对比', 'Compare the four'],
  compare_hint: ['同一个游标走遍四种方式，中途切换不丢不重。', 'One cursor serves all four; switching loses and repeats nothing.'],
  delay_median: ['延迟中位', 'Median delay'],
  never_used: ['未用过', 'unused'],
  bar_offline: ['网络已断开，已载入的内容仍可查看', 'Offline. What was loaded can still be read'],
  bar_connecting: ['正在重新连接…', 'Reconnecting…'],
  bar_waiting: ['连接断开，{seconds} 秒后重连', 'Disconnected. Trying again in {seconds} s'],
  bar_later: ['服务器繁忙，{seconds} 秒后重连', 'The server is busy. Trying again in {seconds} s'],
  bar_stopped: ['服务器结束了这个连接', 'The server ended this connection'],
  retry_now: ['立即重试', 'Try now'],
  reloaded: ['服务器的记录有变化，已重新载入', 'The server’s record changed; everything was loaded again'],
  now: ['刚刚', 'now'],
  minutes_ago: ['{n} 分钟前', '{n} min'],
  today: ['今天', 'Today'],
  yesterday: ['昨天', 'Yesterday'],
  keys: ['快捷键', 'Keyboard shortcuts'],
  key_switch: ['上一个、下一个会话', 'Previous, next conversation'],
  key_find: ['搜索会话', 'Find a conversation'],
  key_back: ['返回、关闭', 'Back, close'],
  key_send: ['发送', 'Send'],
  key_line: ['换行', 'New line'],
  key_transport: ['换传输方式（焦点在切换栏时）', 'Change transport (when the switch has the focus)'],
  key_map: ['显示这张表', 'Show this list'],
  list_width: ['列表宽度', 'Width of the list'],
};

export const languages = ['zh', 'en'];
export const keys = Object.keys(WORDS);
export const entry = (key) => WORDS[key];

let language = 'zh';
export const getLanguage = () => language;
export const preferred = (wish = navigator.language) => (/^zh\b/i.test(wish) ? 'zh' : 'en');

export function setLanguage(next) {
  language = next;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}

/** The text of `key` in the interface's language, `{name}` replaced from `values`. */
export function t(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) throw new Error(`no word ${key}`);
  return pair[languages.indexOf(language)].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

const locale = () => (language === 'zh' ? 'zh-CN' : 'en-GB');
const formats = new Map(); // making one costs more than using it a hundred times

function form(options) {
  const key = JSON.stringify([language, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale(), options));
  return formats.get(key);
}

const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
const daysAgo = (time, now) => Math.round((midnight(now) - midnight(time)) / 86_400_000);

export const clock = (time) => form({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(time);
export const exact = (time) => form({ dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' }).format(time);
export const dayKey = (time) => midnight(time);

export function day(time, now = Date.now()) {
  const ago = daysAgo(time, now);
  if (ago === 0) return t('today');
  if (ago === 1) return t('yesterday');
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return form({ year: sameYear ? undefined : 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(time);
}

/** For the list: relative within the hour, the clock today, then the day. */
export function when(time, now = Date.now()) {
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return t('now');
  if (minutes < 60) return t('minutes_ago', { n: minutes });
  const ago = daysAgo(time, now);
  if (ago === 0) return clock(time);
  if (ago === 1) return t('yesterday');
  if (ago < 7) return form({ weekday: 'short' }).format(time);
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return form(sameYear ? { month: 'numeric', day: 'numeric' } : { year: 'numeric', month: 'numeric', day: 'numeric' }).format(time);
}

export const number = (value) => new Intl.NumberFormat(locale()).format(value);

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const [size, unit] = count < 1_000_000 ? [count / 1000, 'kB'] : [count / 1_000_000, 'MB'];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

export function milliseconds(value) {
  if (value == null) return '–';
  return value < 10 ? `${value.toFixed(1)} ms` : value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
