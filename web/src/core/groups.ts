// What a timeline shows: messages in groups of the same person, days, the beginning of what is unread, and what has happened.

import { isWritten } from './amend';
import type { Amended, Content, Event, Id, Room, Seq, Time } from './model';

export type Item =
  | { readonly kind: 'day'; readonly key: string; readonly time: Time }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'system'; readonly key: string; readonly event: Event }
  | MessageItem;

export interface MessageItem {
  readonly kind: 'message';
  readonly key: string;
  readonly event: Event<Content>;
  readonly state: Amended | undefined;
  /** Of its group. */
  readonly first: boolean;
}

export interface Looks {
  readonly states: ReadonlyMap<Seq, Amended>;
  readonly hidden?: ReadonlySet<Seq>;
  /** The divider stands before this one. */
  readonly unread?: Seq | null;
}

/** Longer apart they are two groups. */
export const TOGETHER: Time = 5 * 60_000;

/** Events that are drawn as a line of their own; other acts are seen on their messages. */
const SYSTEM: ReadonlySet<string> = new Set(['create', 'member', 'settings', 'pin', 'undelivered']);

export const isSystem = (event: Event): boolean => SYSTEM.has(event.type);

/** The timeline of a conversation: messages of threads are not in it. */
export const timeline = ({ events, states, hidden }: Pick<Room, 'events' | 'states' | 'hidden'>, unread: Seq | null = null): Item[] =>
  items(events.filter((event) => event.type === 'message' || isSystem(event)), { states, hidden, unread });

export function items(events: readonly Event[], { states, hidden, unread = null }: Looks): Item[] {
  const found: Item[] = [];
  let day = { begin: 0, end: 0 };
  let wait = unread;
  for (const event of events) {
    if (hidden?.has(event.seq)) continue;
    if (event.time < day.begin || event.time >= day.end) {
      day = dayOf(event.time);
      found.push({ kind: 'day', key: `d${day.begin}`, time: event.time });
    }
    if (wait !== null && event.seq >= wait) {
      found.push({ kind: 'unread', key: 'unread' });
      wait = null;
    }
    found.push(itemOf(event, states.get(event.seq), found.at(-1)));
  }
  return found;
}

type EventItem = Extract<Item, { readonly event: Event }>;
const made = new WeakMap<Event, EventItem>();

/** The same again as long as it looks the same, so that nothing is drawn again. */
function itemOf(event: Event, state: Amended | undefined, above: Item | undefined): EventItem {
  const goesOn = above?.kind === 'message' && above.event.sender === event.sender && event.time - above.event.time <= TOGETHER;
  const before = made.get(event);
  if (before && (before.kind === 'system' || (before.state === state && before.first === !goesOn))) return before;
  const now: EventItem = isWritten(event)
    ? { kind: 'message', key: `m${event.seq}`, event, state, first: !goesOn }
    : { kind: 'system', key: `e${event.seq}`, event };
  made.set(event, now);
  return now;
}

/** Where what is unread begins, above a mark: to be taken once, when the conversation is opened. Null when nothing is. */
export function firstUnread(room: Room, me: Id): Seq | null {
  const mark = room.counted.unread.mark;
  const isFirst = (event: Event): boolean => event.seq > mark && event.type === 'message' && event.sender !== me && !room.hidden.has(event.seq);
  return room.unread ? (room.events.find(isFirst)?.seq ?? mark + 1) : null;
}

/** A day of the clock on the wall. */
function dayOf(time: Time): { readonly begin: Time; readonly end: Time } {
  const at = new Date(time);
  const begin = at.setHours(0, 0, 0, 0);
  return { begin, end: at.setDate(at.getDate() + 1) };
}
