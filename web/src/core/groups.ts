// What a timeline shows: messages in groups of the same person, days, the beginning of what is unread, and what has happened.

import { isWritten } from './amend';
import type { Amended, Content, Event, Id, Page, Room, Seq, Time } from './model';

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
  /** The first and the last one of its group. */
  readonly first: boolean;
  readonly last: boolean;
}

export interface Looks {
  readonly states: ReadonlyMap<Seq, Amended>;
  readonly hidden?: ReadonlySet<Seq>;
  /** The divider stands before this one. */
  readonly unread?: Seq | null;
}

/** Longer apart they are two groups. */
const TOGETHER = 5 * 60_000;

/** Events that are drawn as a line of their own; other acts are seen on their messages. */
const SYSTEM: ReadonlySet<string> = new Set(['create', 'member', 'settings', 'pin']);

export const isSystem = (event: Event): boolean => SYSTEM.has(event.type);

/** The timeline of a conversation: messages of threads are not in it. */
export function timeline(room: Room, unread: Seq | null = null): Item[] {
  return items(room.events.filter((event) => event.type === 'message' || isSystem(event)), { states: room.states, hidden: room.hidden, unread });
}

/** The timeline of a page of messages: a thread with its first one, pins, what was forwarded. */
export const pageItems = (page: Page, looks: Omit<Looks, 'states'> = {}): Item[] =>
  items(page.events.filter(isWritten), { ...looks, states: new Map(page.amended?.map((state) => [state.seq, state])) });

export function items(events: readonly Event[], { states, hidden, unread = null }: Looks): Item[] {
  const found: Item[] = [];
  let before: Event | null = null;
  let wait = unread;
  for (const event of events) {
    if (hidden?.has(event.seq)) continue;
    if (!before || dayOf(before.time) !== dayOf(event.time)) found.push({ kind: 'day', key: `d${dayOf(event.time)}`, time: event.time });
    if (wait !== null && event.seq >= wait) {
      found.push({ kind: 'unread', key: 'unread' });
      wait = null;
    }
    found.push(isWritten(event) ? message(event, states.get(event.seq), found) : { kind: 'system', key: `e${event.seq}`, event });
    before = event;
  }
  return found;
}

/** Goes on with the group above it, which then does not end there. */
function message(event: Event<Content>, state: Amended | undefined, found: Item[]): MessageItem {
  const above = found.at(-1);
  const first = above?.kind !== 'message' || above.event.sender !== event.sender || event.time - above.event.time > TOGETHER;
  if (!first) found[found.length - 1] = { ...above, last: false };
  return { kind: 'message', key: `m${event.seq}`, event, state, first, last: true };
}

/** Where what is unread begins, above a mark: to be taken once, when the conversation is opened. Null when nothing is. */
export function firstUnread(room: Room, me: Id): Seq | null {
  const mark = room.counted.unread.mark;
  const isFirst = (event: Event): boolean => event.seq > mark && event.type === 'message' && event.sender !== me && !room.hidden.has(event.seq);
  return room.unread ? (room.events.find(isFirst)?.seq ?? mark + 1) : null;
}

/** Days of the clock on the wall. */
function dayOf(time: Time): number {
  const date = new Date(time);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}
