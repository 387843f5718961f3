// What is known, as a fold: known + event = known. Nothing here asks, sends, shows or reads a clock. Twin of client/state.py.
//
// The snapshot of t0 and the events from t0 to t1 give the snapshot of t1. Where they cannot tell (who was added knows nothing
// of what was before; a mark that stops among messages whose places are unknown) the conversation is put into `wanted`,
// and `withConversation` puts in the answer.

import { bookmarked } from './bookmarks';
import { at, position } from './cursor';
import type { Conversation, Event, Id, Known, Page, Person, Presence, Room, Signal, Snapshot, StatusText, Time } from './model';
import { acted, created, done, membered, recounted, renamed, roomOf, set, settled, written, type Told } from './room';
import { grown, paged, shortened, unloaded, type Where } from './run';

export type { Where } from './run';

/** Somebody types for so long without saying it again. */
const TYPING = 8_000;

export const nothing: Known = Object.freeze({
  me: null,
  position: 0,
  rooms: new Map(),
  names: new Map(),
  avatars: new Map(),
  presence: new Map(),
  typing: new Map(),
  preferences: {},
  statusText: null,
  heard: new Map(),
  bookmarks: null,
  wanted: new Set<Id>(),
  parted: [],
});

// Answers

/** A snapshot begins everything anew, except names and presence, which stay true. */
export function fromSnapshot(known: Known, snapshot: Snapshot): Known {
  const { user, preferences, status_text, conversations } = snapshot;
  const here = position(snapshot.cursor);
  const people = [user, ...conversations.flatMap((conversation) => conversation.members ?? [])];
  return {
    ...nothing,
    me: user,
    position: here,
    rooms: new Map(conversations.map((conversation) => [conversation.id, roomOf(conversation, undefined, here)])),
    names: named(known.names, people),
    avatars: pictured(known.avatars, conversations.flatMap((conversation) => conversation.members ?? [])),
    presence: known.presence,
    preferences,
    statusText: whole(status_text),
  };
}

/** The conversation as it was answered, with its cursor. An answer that events have overtaken is not taken: it stays wanted. */
export function withConversation(known: Known, conversation: Conversation): Known {
  const before = known.rooms.get(conversation.id);
  const there = position(conversation.cursor);
  if (there < (before?.position ?? known.position)) return known;
  return {
    ...known,
    wanted: less(known.wanted, conversation.id),
    names: named(known.names, conversation.members ?? []),
    avatars: pictured(known.avatars, conversation.members ?? []),
    rooms: put(known.rooms, conversation.id, roomOf(conversation, before, there)),
  };
}

/** The server does not know it (any more). */
export const withoutConversation = (known: Known, id: Id): Known => gone({ ...known, rooms: new Map(known.rooms) }, id);

/**
 * A page of history: `newest`, or what is `older` or `newer` than what is loaded, or, in place of that, the page that ends with
 * a message (`around`: then ask for `newer`).
 */
export function withPage(known: Known, id: Id, page: Page, where: Where): Known {
  return change(known, id, (room) => paged(room, page, where, known.me?.id ?? ''));
}

/** Free the memory of a run that nobody looks at. */
export const withoutRun = (known: Known, id: Id): Known => change(known, id, unloaded);

/** Free some of it, when it has grown long: for a conversation that is left. */
export const withShorterRun = (known: Known, id: Id): Known => change(known, id, (room) => shortened(room));

/** Of answers about people, which say everything about them. */
export const withPeople = (known: Known, people: readonly Person[]): Known => ({
  ...known,
  names: named(known.names, people),
  avatars: pictured(known.avatars, people),
});

/** The answer of `GET /v1/online`: who is not in it is not there. */
export function withOnline(known: Known, users: readonly (Person & { status: Presence; status_text?: StatusText | null })[]): Known {
  const presence = users.map(({ id, status, status_text }) => [id, { status, statusText: whole(status_text) }] as const);
  return { ...known, names: named(known.names, users), presence: new Map(presence) };
}

// Events

/** The next event of the stream. The same again, and types that are not known, change nothing. */
export const fold = (known: Known, event: Event): Known => foldAll(known, [event]).known;

/** Known while several events are folded: `rooms` is nobody else's yet, so that it is copied once for all of them. */
interface Open extends Known {
  readonly rooms: Map<Id, Room>;
}

/** The next events, one after another, and which of them were new. One that fails is left out, if there is somebody to tell. */
export function foldAll(known: Known, events: readonly Event[], failed = thrown): { readonly known: Known; readonly fresh: readonly Event[] } {
  const news = events.filter((event) => at(event) > known.position);
  if (!news.length) return { known, fresh: [] };
  let open: Open = { ...known, rooms: new Map(known.rooms) };
  const fresh: Event[] = [];
  for (const event of news) {
    if (at(event) <= open.position) continue;
    try {
      open = folded({ ...open, position: at(event) }, event);
      fresh.push(event);
    } catch (error) {
      failed(error);
    }
  }
  return { known: open, fresh };
}

function thrown(error: unknown): void {
  throw error;
}

function folded(open: Open, event: Event): Open {
  if (event.conversation.startsWith('user:')) return foldOwn(open, event);
  if (event.conversation === 'directory') return event.type === 'profile' ? foldProfile(open, event) : open;
  const room = open.rooms.get(event.conversation);
  return room ? foldEvent(open, room, event) : foldUnknown(open, event);
}

/** Of a conversation that is not there (yet). */
function foldUnknown(open: Open, event: Event): Open {
  const me = open.me?.id ?? '';
  if (takesAway(event, me)) return gone(open, event.conversation);
  const room = event.type === 'create' ? created(event, me) : null;
  if (!room) return want(open, event.conversation);
  const names = named(open.names, event.content.members);
  open.rooms.set(room.id, room);
  return { ...open, names };
}

function foldEvent(open: Open, room: Room, event: Event): Open {
  const me = open.me?.id ?? '';
  const isNew = at(event) > room.position;
  if (isNew && takesAway(event, me)) {
    const parted = event.content.action === 'remove' ? [...open.parted, room.title ?? room.id] : open.parted;
    return { ...gone(open, room.id), parted };
  }
  // A hole cannot come from a good server but where the reader was away; ask rather than show a wrong order.
  const isHole = isNew ? event.seq !== room.head_seq + 1 : takesAway(event, me);
  const run = isHole ? { ...unloaded(room), ahead: [] } : grown(room, event);
  let told: Told = { room: acted(run, event, me), sure: !(isHole && isNew) };
  if (isNew) told = happened(told, event, me);
  const names = named(open.names, event.type === 'member' ? (event.content.users ?? []) : []);
  const kept = event.type === 'message' ? stopped(open, event.conversation, event.sender) : open;
  open.rooms.set(room.id, settled(told.room));
  const next = { ...kept, names };
  return told.sure ? next : want(next, room.id);
}

/** What the conversation is after an event that it does not contain yet. */
function happened({ room, sure }: Told, event: Event, me: Id): Told {
  const next: Room = { ...room, head_seq: Math.max(room.head_seq, event.seq), position: at(event) };
  const told = ((): Told => {
    switch (event.type) {
      case 'message':
      case 'reply':
        return { room: written(next, event, me), sure: true };
      case 'member':
        return membered(next, event, me) ?? { room: next, sure: true };
      case 'settings':
        return { room: set(next, event.content), sure: true };
      default:
        return recounted(next, event, me);
    }
  })();
  return { room: told.room, sure: sure && told.sure };
}

/** Of one's own lane. */
function foldOwn(open: Open, event: Event): Open {
  const { type, content } = event;
  const next = { ...open, heard: put(open.heard, type, event.seq), bookmarks: bookmarked(open.bookmarks, type, content) };
  if (type === 'preferences') return { ...next, preferences: content.preferences };
  if (type === 'status') return { ...next, statusText: content.text || content.emoji ? whole(content) : null };
  const room = next.rooms.get(content.conversation);
  if (!room || at(event) <= room.position) return next;
  const told = done(room, event);
  next.rooms.set(room.id, settled({ ...told.room, position: at(event) }));
  return told.sure ? next : want(next, room.id);
}

function foldProfile(open: Open, event: Event<Person>): Open {
  const { id, name } = event.content;
  const me = open.me?.id === id ? { ...open.me, name } : open.me;
  const here = at(event);
  for (const room of open.rooms.values()) {
    const after = renamed(room, event.content, here);
    if (after !== room) open.rooms.set(room.id, after);
  }
  return { ...open, me, names: named(open.names, [{ id, name }]), avatars: pictured(open.avatars, [event.content]) };
}

/** It is not there any more. */
function gone(open: Open, id: Id): Open {
  open.rooms.delete(id);
  return { ...open, wanted: less(open.wanted, id), typing: without(open.typing, id) };
}

const takesAway = ({ type, content }: Event, me: Id): boolean =>
  type === 'member' && (content.action === 'remove' || content.action === 'leave') && content.users.some((user: Person) => user.id === me);

// Signals

/** What is not in the log: typing, presence, other people's read marks. */
export function foldSignal(known: Known, signal: Signal, now: Time): Known {
  switch (signal.type) {
    case 'presence':
      return { ...known, presence: put(known.presence, signal.user, { status: signal.status, statusText: whole(signal.status_text) }) };
    case 'read':
      return change(known, signal.conversation, (room) => {
        const seq = Math.max(signal.seq, room.marks.get(signal.user) ?? 0);
        return { ...room, marks: put(room.marks, signal.user, seq) };
      });
    case 'typing': {
      if (signal.user === known.me?.id) return known;
      if (!signal.typing) return stopped(known, signal.conversation, signal.user);
      const people = put(known.typing.get(signal.conversation) ?? new Map<Id, Time>(), signal.user, now + TYPING);
      return { ...known, typing: put(known.typing, signal.conversation, people) };
    }
    default:
      return known;
  }
}

/** Who stopped typing without saying so. */
export function expireTyping(known: Known, now: Time): Known {
  const all = [...known.typing].flatMap(([conversation, people]) => [...people].map(([user, until]) => ({ conversation, user, until })));
  return all.filter(({ until }) => until <= now).reduce((next, { conversation, user }) => stopped(next, conversation, user), known);
}

function stopped<K extends Known>(known: K, conversation: Id, user: Id | null): K {
  const people = known.typing.get(conversation);
  if (user === null || !people?.has(user)) return known;
  const rest = without(people, user);
  return { ...known, typing: rest.size ? put(known.typing, conversation, rest) : without(known.typing, conversation) };
}

/** A status text of an emoji alone comes without its text. */
const whole = (status: Partial<StatusText> | null | undefined): StatusText | null => (status ? { text: '', ...status } : null);

// Maps that do not change

const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value);

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

const less = (set: ReadonlySet<Id>, id: Id): ReadonlySet<Id> => (set.has(id) ? new Set([...set].filter((one) => one !== id)) : set);

const want = <K extends Known>(known: K, id: Id): K => (known.wanted.has(id) ? known : { ...known, wanted: new Set(known.wanted).add(id) });

function named(names: ReadonlyMap<Id, string>, people: readonly Person[]): ReadonlyMap<Id, string> {
  const fresh = people.filter((person) => person.name && names.get(person.id) !== person.name);
  return fresh.length ? new Map([...names, ...fresh.map(({ id, name }) => [id, name] as const)]) : names;
}

/** Who comes without a picture has none. */
function pictured(avatars: ReadonlyMap<Id, string>, people: readonly Person[]): ReadonlyMap<Id, string> {
  const changed = people.filter(({ id, avatar }) => avatars.get(id) !== avatar);
  if (!changed.length) return avatars;
  const next = new Map(avatars);
  for (const { id, avatar } of changed) {
    if (avatar === undefined) next.delete(id);
    else next.set(id, avatar);
  }
  return next;
}

function change(known: Known, id: Id, by: (room: Room) => Room): Known {
  const room = known.rooms.get(id);
  const after = room && by(room);
  return after && after !== room ? { ...known, rooms: put(known.rooms, id, settled(after)) } : known;
}
