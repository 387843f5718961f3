// The run of a room: the part of its events that is loaded. Pages come from history, events from the stream, in either order.

import { amend, emptied, emptiedBy, isWritten, target, untouched } from './amend';
import type { Amended, Event, Id, Page, Room, Seq } from './model';
import { isMentioned } from './notify';
import { learnt } from './unread';

export type Where = 'newest' | 'older' | 'newer' | 'around';

/** So many newest events are kept of a room whose run does not reach its head. */
const AHEAD = 200;
/** A run may be so long when its reader leaves it, and at all. */
const LONG = 2_000;
const LONGEST = 10_000;

const first = (events: readonly Event[]): Seq => events[0]?.seq ?? Infinity;
const last = (events: readonly Event[]): Seq => events.at(-1)?.seq ?? 0;

/** Whether the place is in the part that is loaded. */
export const isInside = (room: Room, seq: Seq): boolean => seq >= first(room.events) && seq <= last(room.events);

/** Whether the run goes on with what comes. */
const live = (room: Room): boolean => room.loaded && !room.newer;

/** An event of the stream. History may have brought it before. */
export function grown(room: Room, event: Event): Room {
  if (live(room)) return event.seq <= last(room.events) ? room : shortened({ ...room, events: [...room.events, event] }, LONGEST);
  return event.seq <= last(room.ahead) ? room : { ...room, ahead: [...room.ahead, event].slice(-AHEAD) };
}

/** Nothing is loaded any more: its run can no longer be trusted, or is not worth its memory. */
export function unloaded(room: Room): Room {
  const ahead = live(room) ? room.events.slice(-AHEAD) : room.ahead;
  return stated({ ...room, events: [], ahead, loaded: false, older: true, newer: false }, room.states);
}

/** Without what is far above its newest end. */
export const shortened = (room: Room, most = LONG): Room =>
  room.events.length <= most ? room : stated({ ...room, events: room.events.slice(-Math.round(most * 0.75)), older: true }, room.states);

/** A page of history. `around` a message is in place of what was loaded. */
export function paged(room: Room, page: Page, where: Where, me: Id): Room {
  if (!room.loaded && (where === 'older' || where === 'newer')) return room; // of a run that is gone
  const anew = where === 'around' || !room.loaded || (where === 'newest' && room.newer);
  const begin = anew ? { ...unloaded(room), loaded: true } : room;
  const isBelow = anew || where === 'older' || (where === 'newest' && first(page.events) < first(begin.events));
  let next: Room = { ...begin, events: joined(begin.events, page.events), older: isBelow ? page.more : begin.older };
  if (anew || room.newer) next = reaching(next, where === 'newest' || (where === 'newer' && !page.more) || (where === 'around' && page.newer === false));
  return learned(stated(next, merged(next, page.amended ?? [], me), emptiedIn(next)), me);
}

/** Go on with what came meanwhile, unless too much came to be kept. */
function reaching(room: Room, end: boolean): Room {
  const whole = room.ahead.length < AHEAD || room.ahead[0]!.seq <= last(room.events) + 1;
  return end && whole ? { ...room, events: joined(room.ahead, room.events), ahead: [], newer: false } : { ...room, newer: true };
}

/** Both, each event once; the second one's wins. */
function joined(one: readonly Event[], other: readonly Event[]): readonly Event[] {
  if (!one.length || !other.length) return one.length ? one : other;
  const held = new Set(other.map((event) => event.seq));
  return [...one.filter((event) => !held.has(event.seq)), ...other].sort((a, b) => a.seq - b.seq);
}

/** What was done to messages: what is known, the page's, and what has come since it was made. */
function merged(room: Room, page: readonly Amended[], me: Id): ReadonlyMap<Seq, Amended> {
  const states = new Map(room.states);
  for (const state of page) if (state.at > (states.get(state.seq)?.at ?? -1)) states.set(state.seq, state);
  const written = new Set(room.events.filter(isWritten).map((event) => event.seq));
  for (const event of [...room.events, ...room.ahead]) {
    const seq = target(event);
    if (seq !== null && written.has(seq)) states.set(seq, amend(states.get(seq) ?? untouched(seq), event, me));
  }
  return states;
}

const emptiedIn = (room: Room): ReadonlySet<Seq> =>
  new Set([...room.events, ...room.ahead].flatMap((event) => (event.type === 'recall' ? emptiedBy(event) : [])));

/** With these states, as far as they are of messages that are held, and without these contents. */
function stated(room: Room, states: ReadonlyMap<Seq, Amended>, gone: ReadonlySet<Seq> = new Set()): Room {
  const held = new Set(room.events.map((event) => event.seq));
  const kept = [...states].filter(([seq]) => held.has(seq) || seq === room.last?.seq);
  return { ...room, states: new Map(kept), events: emptied(room.events, gone), ahead: emptied(room.ahead, gone) };
}

/** Which messages are unread can be seen in a run that reaches the head. */
function learned(room: Room, me: Id): Room {
  if (!live(room) || !room.events.length) return room;
  const from = room.older ? first(room.events) : room.first_seq;
  const above = (mark: Seq, counts: (event: Event) => boolean): Seq[] => {
    const there = (event: Event): boolean => event.seq > mark && event.seq <= room.head_seq && event.sender !== me && !room.hidden.has(event.seq);
    return room.events.filter((event) => there(event) && counts(event)).map((event) => event.seq);
  };
  const { unread, mentioned } = room.counted;
  const names = (event: Event): boolean => isWritten(event) && isMentioned(event.content, room.states.get(event.seq), me, room.role);
  return {
    ...room,
    counted: {
      unread: learnt(unread, from, above(unread.mark, (event) => event.type === 'message')),
      mentioned: learnt(mentioned, from, above(mentioned.mark, names)),
    },
  };
}
