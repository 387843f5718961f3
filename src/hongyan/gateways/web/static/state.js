// What is known, as a fold: state + event = state. Nothing here asks, sends, shows or reads a clock.
//
// `seen` holds the last sequence number taken from each lane, so an event is folded once however often it comes.
// `wanted` names conversations that must be asked for, because an event told less than is needed.

const UNREAD_MOST = 1000;

export const nothing = Object.freeze({
  me: null,
  conversations: new Map(), // id -> conversation with events (a run without gaps, ascending), loaded, older, marks
  names: new Map(), // user -> display name
  presence: new Map(), // user -> status
  typing: new Map(), // conversation -> Map(user -> time until)
  seen: new Map(), // lane -> seq
  wanted: new Set(),
  parted: [], // titles of conversations that were left or taken away
});

const put = (map, key, value) => new Map(map).set(key, value);

function without(map, key) {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

function named(names, people) {
  const fresh = people.filter((person) => person.name && names.get(person.id) !== person.name);
  return fresh.length ? new Map([...names, ...fresh.map((person) => [person.id, person.name])]) : names;
}

const want = (state, id) => ({ ...state, wanted: new Set(state.wanted).add(id) });

function change(state, id, by) {
  const before = state.conversations.get(id);
  if (!before) return state;
  return { ...state, conversations: put(state.conversations, id, { ...before, ...by(before) }) };
}

/** A snapshot begins everything anew, except names and presence, which stay true. */
export function fromSnapshot(state, snapshot) {
  const start = { ...nothing, names: named(state.names, [snapshot.user]), presence: state.presence, me: snapshot.user };
  return snapshot.conversations.reduce(withConversation, start);
}

/** The answer of GET /v1/conversations/ID: true for everything up to its head. */
export function withConversation(state, conversation) {
  const before = state.conversations.get(conversation.id);
  const wanted = new Set(state.wanted);
  wanted.delete(conversation.id);
  // Something happened while the answer was under way: what is held is newer, or one has to ask once more.
  const seen = state.seen.get(conversation.id) ?? 0;
  if (seen > conversation.head_seq) return { ...state, wanted: before?.head_seq === seen ? wanted : wanted.add(conversation.id) };
  const contiguous = before && (before.events.at(-1)?.seq ?? 0) >= conversation.head_seq;
  const held = contiguous ? { events: before.events, loaded: before.loaded, older: before.older } : { events: [], loaded: false, older: true };
  const read_seq = Math.max(conversation.read_seq, before?.read_seq ?? 0);
  const unread = read_seq >= conversation.head_seq ? 0 : conversation.unread;
  const { cursor: _, ...known } = conversation;
  return {
    ...state,
    wanted,
    names: named(state.names, conversation.members ?? []),
    seen: put(state.seen, conversation.id, conversation.head_seq),
    conversations: put(state.conversations, conversation.id, { ...known, ...held, read_seq, unread, marks: before?.marks ?? new Map() }),
  };
}

/** A page of history: older than what is held, or the newest when nothing is. */
export function withHistory(state, id, page) {
  return change(state, id, (before) => {
    const held = new Set(before.events.map((event) => event.seq));
    const events = [...page.events.filter((event) => !held.has(event.seq)), ...before.events].sort((a, b) => a.seq - b.seq);
    return { events, loaded: true, older: page.more };
  });
}

/** One event of the log. The same one again changes nothing. */
export function fold(state, event) {
  const last = state.seen.get(event.conversation);
  if (last !== undefined && event.seq <= last) return state;
  const next = { ...state, seen: put(state.seen, event.conversation, event.seq) };
  if (event.type === 'read') return foldRead(next, event.content);
  if (event.type === 'profile') return { ...next, names: named(next.names, [event.content]), me: renamed(next.me, event.content) };
  if (event.conversation.startsWith('user:') || event.conversation === 'directory') return next;
  const before = next.conversations.get(event.conversation);
  if (!before) return foldUnknown(next, event);
  // A hole cannot come from a good server; if one does, ask rather than show a wrong order.
  if (event.seq !== before.head_seq + 1) return want(change(next, event.conversation, () => ({ events: [], loaded: false, older: true })), event.conversation);
  const kept = change(next, event.conversation, (conversation) => ({ head_seq: event.seq, events: appended(conversation.events, event) }));
  return (FOLDS[event.type] ?? ((same) => same))(kept, event);
}

const renamed = (me, { id, name }) => (me?.id === id ? { ...me, name } : me);

/** History may have brought an event before the stream did. */
const appended = (events, event) => (events.length && events.at(-1).seq >= event.seq ? events : [...events, event]);

function foldUnknown(state, event) {
  if (event.type !== 'create') return isAboutMe(state, event, 'remove', 'leave') ? state : want(state, event.conversation);
  const { kind, title, history, members } = event.content;
  const conversation = {
    id: event.conversation, kind, title, history, members, member_count: members.length,
    role: members.find((member) => member.id === state.me.id)?.role ?? 'member',
    first_seq: event.seq, head_seq: event.seq, read_seq: 0, unread: 0, last: null, time: event.time,
    events: [event], loaded: true, older: false, marks: new Map(),
  };
  return { ...state, names: named(state.names, members), conversations: put(state.conversations, event.conversation, conversation) };
}

const isAboutMe = (state, event, ...actions) => event.type === 'member' && actions.includes(event.content.action)
  && event.content.users.some((user) => user.id === state.me.id);

/** What a message says has changed. */
function amended(state, conversation, seq, say) {
  const again = (event) => (event?.seq === seq ? { ...event, content: say(event.content) } : event);
  return change(state, conversation, (before) => ({ events: before.events.map(again), last: again(before.last) }));
}

/** A page of history as its messages are now. */
export function asNow({ events, amended: states = [] }) {
  const texts = new Map(states.filter(({ text }) => text !== undefined).map(({ seq, text }) => [seq, text]));
  return events.map((event) => (event.type === 'message' && texts.has(event.seq) ? { ...event, content: { ...event.content, text: texts.get(event.seq) } } : event));
}

/** What a message says, for a page that only shows text. */
export function said(content, t) {
  if (content.type === 'recalled') return t('recalled');
  if (content.type === 'poll') return [`📊 ${content.question}`, ...content.options.map((option, n) => `${n + 1}. ${option}`)].join('\n');
  if (content.type === 'forward') return [content.text, ...content.items.map((item) => `${item.name}: ${said(item.content, t)}`)].filter(Boolean).join('\n');
  return content.text ?? '';
}

const FOLDS = {
  message(state, event) {
    const settled = foldSignal(state, { type: 'typing', conversation: event.conversation, user: event.sender, typing: false }, 0);
    return change(settled, event.conversation, (before) => {
      const counts = event.sender !== state.me.id && event.seq > before.read_seq;
      return { last: event, unread: Math.min(UNREAD_MOST, before.unread + (counts ? 1 : 0)) };
    });
  },

  edit: (state, { conversation, content }) => amended(state, conversation, content.seq, (now) => ({ ...now, text: content.text })),

  recall: (state, { conversation, content }) => amended(state, conversation, content.seq, () => ({ type: 'recalled' })),

  settings: (state, { conversation, content }) => change(state, conversation, () => content),

  member(state, event) {
    const { action, users, owner } = event.content;
    const touched = new Map(users.map((user) => [user.id, user]));
    if (isAboutMe(state, event, 'remove', 'leave')) {
      const gone = state.conversations.get(event.conversation);
      const parted = action === 'remove' ? [...state.parted, gone.title] : state.parted;
      return { ...state, parted, conversations: without(state.conversations, event.conversation), seen: without(state.seen, event.conversation) };
    }
    const names = { ...state, names: named(state.names, users) };
    return change(names, event.conversation, (before) => {
      const roleOf = (id, role) => (id === owner ? 'owner' : action === 'role' ? touched.get(id)?.role ?? role : role);
      const rest = before.members?.filter((member) => action === 'role' || !touched.has(member.id)) ?? null;
      const members = rest && (action === 'add' ? [...rest, ...users] : rest).map((member) => ({ ...member, role: roleOf(member.id, member.role) }));
      const by = { add: users.length, remove: -users.length, leave: -users.length }[action] ?? 0;
      return { members, member_count: members?.length ?? before.member_count + by, role: roleOf(state.me.id, before.role) };
    });
  },
};

/** My own mark moved here or on another device: count again what is above it, or ask when not all of it is held. */
export function foldRead(state, { conversation, seq }) {
  const before = state.conversations.get(conversation);
  if (!before || seq <= before.read_seq) return state;
  const above = before.events.filter((event) => event.seq > seq && event.type === 'message' && event.sender !== state.me.id).length;
  const complete = seq >= before.head_seq || (before.events.length > 0 && before.events[0].seq <= seq + 1);
  const moved = change(state, conversation, () => ({ read_seq: seq, unread: complete ? above : Math.min(before.unread, before.head_seq - seq) }));
  return complete ? moved : want(moved, conversation);
}

const TYPING_LASTS = 8_000;

/** What is not in the log: typing, presence, other people's read marks. */
export function foldSignal(state, signal, now) {
  if (signal.type === 'presence') return { ...state, presence: put(state.presence, signal.user, signal.status) };
  if (signal.type === 'read') {
    return change(state, signal.conversation, ({ marks }) => ({ marks: put(marks, signal.user, Math.max(signal.seq, marks.get(signal.user) ?? 0)) }));
  }
  if (signal.type !== 'typing' || signal.user === state.me?.id) return state;
  const there = state.typing.get(signal.conversation) ?? new Map();
  if (!signal.typing && !there.has(signal.user)) return state;
  const people = signal.typing ? put(there, signal.user, now + TYPING_LASTS) : without(there, signal.user);
  return { ...state, typing: put(state.typing, signal.conversation, people) };
}

/** Who stopped typing without saying so. */
export function expireTyping(state, now) {
  const over = [...state.typing].flatMap(([conversation, people]) => [...people].filter(([, until]) => until <= now).map(([user]) => [conversation, user]));
  return over.reduce((next, [conversation, user]) => foldSignal(next, { type: 'typing', conversation, user, typing: false }, now), state);
}

export const withNames = (state, people) => ({ ...state, names: named(state.names, people) });

export const withPresence = (state, people) => ({ ...state, presence: new Map(people.map(({ id, status }) => [id, status])), names: named(state.names, people) });

/** Newest first; a conversation without messages stands by the time it was made. */
export function byRecency(conversations) {
  const time = (conversation) => conversation.last?.time ?? conversation.time ?? 0;
  return [...conversations.values()].sort((a, b) => time(b) - time(a) || (a.id < b.id ? -1 : 1));
}
