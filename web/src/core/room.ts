// One conversation, changing: what its events, and the reader's own, make of it. Twin of client/room.py.

import { amend, emptied, emptiedBy, target, untouched } from './amend';
import { position } from './cursor';
import type { Conversation, Event, Id, Member, Person, Role, Room, Seq } from './model';
import { isMentioned } from './notify';
import { ownAfter, type Done } from './own';
import { isInside, unloaded } from './run';
import * as unread from './unread';

/** Beyond this many a conversation carries no list of members. */
const LISTED = 100;

/** A room, and whether its events have told everything: otherwise it is to be asked for. */
export interface Told {
  readonly room: Room;
  readonly sure: boolean;
}

/** As the server answered, with what is loaded and seen of it. */
export function roomOf(answer: Conversation, before: Room | undefined, at = position(answer.cursor)): Room {
  const { cursor: _, amended: __, ...seen } = answer;
  const own = answer.own ?? {};
  const mark = own.unread_from === undefined ? answer.read_seq : own.unread_from - 1;
  const states = new Map(before?.states);
  const { last, amended } = answer;
  if (last && amended && amended.at > (states.get(last.seq)?.at ?? -1)) states.set(last.seq, amended);
  return settled({
    events: [],
    ahead: [],
    loaded: false,
    older: true,
    newer: false,
    marks: new Map(),
    hidden: new Set(),
    ...before,
    ...seen,
    members: seen.members && [...seen.members].sort(byId),
    own,
    position: at,
    states,
    counted: {
      unread: unread.counting(answer.unread, mark, answer.head_seq),
      mentioned: unread.counting(answer.mentioned, mark, answer.head_seq),
    },
  });
}

/** One that began while this client looked: its first event says everything. */
export function created(event: Event, me: Id): Room | null {
  const members: Member[] = event.content.members ?? [];
  const role = members.find((member) => member.id === me)?.role;
  if (!role) return null;
  const { kind, title, topic, history, writers } = event.content;
  const answer: Conversation = {
    id: event.conversation,
    kind,
    title: title ?? null,
    topic: topic ?? null,
    history: history ?? 'joined',
    writers: writers ?? 'all',
    role,
    first_seq: event.seq,
    head_seq: event.seq,
    read_seq: 0,
    unread: 0,
    mentioned: 0,
    last: null,
    member_count: members.length,
    members: members.length <= LISTED ? members : null,
  };
  return { ...roomOf(answer, undefined, position(event.cursor)), events: [event], loaded: true, older: false };
}

/** A message, or one of a thread. */
export function written(room: Room, event: Event, me: Id): Room {
  const { counted } = room;
  const others = event.sender !== me;
  const isMessage = event.type === 'message';
  return {
    ...room,
    states: isMessage && room.last && !isInside(room, room.last.seq) ? withoutState(room.states, room.last.seq) : room.states,
    last: isMessage ? event : room.last,
    counted: {
      unread: isMessage && others ? unread.arrived(counted.unread, event.seq) : counted.unread,
      mentioned: others && isMentioned(event.content, undefined, me, room.role) ? unread.arrived(counted.mentioned, event.seq) : counted.mentioned,
    },
  };
}

/** Something was done to a message. What is not held is left to the page that brings it. */
export function acted(room: Room, event: Event, me: Id): Room {
  const seq = target(event);
  if (seq === null) return room;
  let next = room;
  if (seq === room.last?.seq || isInside(room, seq)) {
    const before = room.states.get(seq) ?? untouched(seq);
    const after = amend(before, event, me);
    if (after !== before) next = { ...room, states: new Map(room.states).set(seq, after) };
  }
  return event.type === 'recall' ? withoutContents(next, new Set(emptiedBy(event))) : next;
}

/** Whether it still counts as a mention. */
export function recounted(room: Room, event: Event, me: Id): Told {
  const seq = target(event);
  if (seq === null || seq < room.first_seq || (event.type !== 'edit' && event.type !== 'recall')) return { room, sure: true };
  // As Python's: the event of an edit says whom it names, and only its author edits.
  const names = event.type === 'edit' && event.sender !== me && isMentioned({ type: 'text', ...event.content }, undefined, me, room.role);
  const mentioned = unread.changed(room.counted.mentioned, seq, names);
  return mentioned ? { room: { ...room, counted: { ...room.counted, mentioned } }, sure: true } : { room, sure: false };
}

/** The reader has done something for themselves. */
export function done(before: Room, event: Done): Told {
  const room: Room = { ...before, own: ownAfter(before.own, event) };
  const { content } = event;
  switch (event.type) {
    case 'read': {
      const read_seq = Math.max(room.read_seq, content.seq);
      const counted = { unread: unread.read(room.counted.unread, read_seq), mentioned: unread.read(room.counted.mentioned, read_seq) };
      const sure = (name: 'unread' | 'mentioned'): boolean => counted[name] === room.counted[name] || counted[name].unknown === 0;
      return { room: { ...room, read_seq, counted }, sure: sure('unread') && sure('mentioned') };
    }
    case 'unread':
      return { room, sure: false };
    case 'hide': {
      const hidden = new Set([...room.hidden, ...(content.seqs as Seq[])]);
      return { room: { ...room, hidden }, sure: !room.last || !content.seqs.includes(room.last.seq) };
    }
    case 'unhide':
      return { room: unhidden(room, content.seqs), sure: !!room.last && Math.max(...content.seqs) < room.last.seq };
    default:
      return { room, sure: true };
  }
}

/** People came, went, or have another role. Null: the reader is no more in it. */
export function membered(room: Room, event: Event, me: Id): Told | null {
  const { action, owner } = event.content;
  const people: readonly Member[] = event.content.users ?? [];
  const ids = new Set(people.map((person) => person.id));
  let { members, member_count } = room;
  let sure = true;
  if (action === 'add') {
    members = members && [...members.filter((member) => !ids.has(member.id)), ...people].sort(byId);
    member_count = members?.length ?? member_count + people.length;
    if (member_count > LISTED) members = null;
  } else if (action === 'remove' || action === 'leave') {
    if (ids.has(me)) return null;
    members = members && members.filter((member) => !ids.has(member.id));
    member_count = members?.length ?? member_count - people.length;
    sure = members !== null || member_count > LISTED;
  }
  let told: Told = { room: { ...room, members, member_count }, sure };
  if (action === 'role') for (const person of people) told = became(told, person.id, person.role, me);
  return owner ? became(told, owner, 'owner', me) : told;
}

/** Some of its settings have changed. */
export const set = (room: Room, content: Partial<Pick<Room, 'title' | 'topic' | 'history' | 'writers'>>): Room => {
  const { title = room.title, topic = room.topic, history = room.history, writers = room.writers } = content;
  return { ...room, title, topic, history, writers };
};

/** Another display name of somebody who is listed. */
export function renamed(room: Room, { id, name }: Person, at: number): Room {
  if (at <= room.position || !room.members?.some((member) => member.id === id)) return room;
  return { ...room, position: at, members: room.members.map((member) => (member.id === id ? { ...member, name } : member)) };
}

/** With the numbers that are shown. */
export const settled = (room: Room): Room => ({
  ...room,
  unread: unread.count(room.counted.unread),
  mentioned: unread.count(room.counted.mentioned),
  amended: (room.last && room.states.get(room.last.seq)) ?? null,
});

/** Somebody's role. Who becomes or is no longer one of the admins is mentioned by other messages. */
function became({ room, sure }: Told, user: Id, role: Role, me: Id): Told {
  const members = room.members && room.members.map((member) => (member.id === user ? { ...member, role } : member));
  if (user !== me) return { room: { ...room, members }, sure };
  const same = (room.role === 'member') === (role === 'member') || room.head_seq <= room.counted.mentioned.mark;
  return { room: { ...room, members, role }, sure: sure && same };
}

function withoutState(states: Room['states'], seq: Seq): Room['states'] {
  if (!states.has(seq)) return states;
  const rest = new Map(states);
  rest.delete(seq);
  return rest;
}

/** What was taken back says nothing any more, wherever it is held; so do its edits. */
function withoutContents(room: Room, seqs: ReadonlySet<Seq>): Room {
  const [last = null] = room.last ? emptied([room.last], seqs) : [];
  return { ...room, last, events: emptied(room.events, seqs), ahead: emptied(room.ahead, seqs) };
}

/** Pages had left them out: the run is to be loaded again. */
function unhidden(room: Room, seqs: readonly Seq[]): Room {
  const hidden = new Set([...room.hidden].filter((seq) => !seqs.includes(seq)));
  const held = new Set(room.events.map((event) => event.seq));
  const isMissing = seqs.some((seq) => isInside(room, seq) && !held.has(seq));
  return isMissing ? { ...unloaded(room), hidden } : { ...room, hidden };
}

const byId = (a: Person, b: Person): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
