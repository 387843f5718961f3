// What has become of a message since it was sent, as a fold over the acts on it. Twin of core/amending.py.

import type { Act, Amended, By, Content, Event, Id, Page, RecalledContent, Seq, Tally, Time } from './model';

type Tallies = Readonly<Record<string, Tally>>;

const ACTS: ReadonlySet<string> = new Set(['edit', 'recall', 'pin', 'unpin', 'close', 'react', 'unreact', 'vote']);

/** The message that an event does something to; null for events that are no acts, and for edits that were emptied. */
export function target(event: Event): Seq | null {
  const seq: unknown = event.type === 'reply' ? event.content.thread : ACTS.has(event.type) ? event.content.seq : null;
  return typeof seq === 'number' ? seq : null;
}

export const isWritten = (event: Event): boolean => event.type === 'message' || event.type === 'reply';

export const untouched = (seq: Seq): Amended => ({ seq, at: 0 });

/** The next state, after an event on it; `me` is the reader. */
export function amend(before: Amended, event: Event, me: Id): Amended {
  if (event.seq <= before.at) return before;
  const state = { ...before, at: event.seq };
  const { type, content } = event;
  const mine = event.sender === me;
  const by: By = { user: event.sender ?? '', time: event.time };
  switch (type) {
    case 'reply':
      return { ...state, replies: (before.replies ?? 0) + 1, reply_seq: event.seq };
    case 'edit':
      return { ...edited(state, content.text, content.mentions ?? [], event.time), edits: (before.edits ?? 0) + 1 };
    case 'recall':
      return recalled(state, by);
    case 'pin':
      return { ...state, pinned: by };
    case 'unpin':
      return without(state, 'pinned');
    case 'close':
      return { ...state, closed: true };
    case 'react':
    case 'unreact':
      return { ...state, reactions: counted(state.reactions, content.emoji, type === 'react' ? 1 : -1, mine) };
    case 'vote':
      return { ...state, votes: voted(state.votes, content.was ?? [], content.options ?? [], mine) };
    default:
      return before;
  }
}

/** The same before the server has answered. What is so already does not count again, so the event may come later. */
export function foreseen(state: Amended, act: Act, me: Id, now: Time): Amended {
  const by: By = { user: me, time: now };
  switch (act.type) {
    case 'edit':
      return edited(state, act.text, act.mentions ?? [], now);
    case 'recall':
      return recalled(state, by);
    case 'pin':
      return { ...state, pinned: state.pinned ?? by };
    case 'unpin':
      return without(state, 'pinned');
    case 'close':
      return { ...state, closed: true };
    case 'react':
    case 'unreact':
      return { ...state, reactions: counted(state.reactions, act.emoji, act.type === 'react' ? 1 : -1, true) };
    case 'vote': {
      const before = Object.keys(state.votes ?? {}).filter((option) => state.votes![option]!.mine);
      return { ...state, votes: voted(state.votes, before, act.options, true) };
    }
  }
}

/** What a message says now: `content` is as it was sent. */
export function said(content: Content, state: Amended | null | undefined): Content {
  if (content.type === 'recalled') return content;
  if (state?.recalled) return taken(content);
  if (content.type !== 'text' || state?.text === undefined) return content;
  const { mentions: _, oob: __, ...rest } = content; // what it says now is written, and no file
  return { ...rest, text: state.text, ...(state.mentions?.length ? { mentions: state.mentions } : {}) };
}

/** Events without the contents that were taken back: of messages, and of their edits. */
export function emptied(events: readonly Event[], seqs: ReadonlySet<Seq>): readonly Event[] {
  const full = (event: Event): boolean => seqs.has(event.seq) && event.content.type !== 'recalled';
  return events.some(full) ? events.map((event) => (full(event) ? { ...event, content: taken(event.content) } : event)) : events;
}

/** The places that a recall empties. */
export const emptiedBy = ({ content }: Event): readonly Seq[] => [content.seq, ...(content.edits ?? [])];

/**
 * A page (of a thread, of pins, one message) after the next event of its conversation: what was done to its messages.
 * With the events since, a page is the page of later.
 */
export function pageAfter(page: Page, event: Event, me: Id): Page {
  const seq = target(event);
  if (seq === null || !page.events.some((one) => one.seq === seq && isWritten(one))) return page;
  const states = page.amended ?? [];
  const before = states.find((one) => one.seq === seq) ?? untouched(seq);
  const after = amend(before, event, me);
  if (after === before) return page;
  const events = event.type === 'recall' ? emptied(page.events, new Set(emptiedBy(event))) : page.events;
  return { ...page, events, amended: [...states.filter((one) => one !== before), after] };
}

function taken(content: Content): RecalledContent {
  return 'thread' in content && content.thread !== undefined ? { type: 'recalled', thread: content.thread } : { type: 'recalled' };
}

function edited(state: Amended, text: string, mentions: readonly string[], time: Time): Amended {
  return { ...without(state, 'mentions'), text, edited: time, ...(mentions.length ? { mentions } : {}) };
}

/** Nothing is left of it but its place, and its thread. */
function recalled(state: Amended, by: By): Amended {
  const { seq, at, replies, reply_seq } = state;
  return { seq, at, recalled: by, ...(replies ? { replies } : {}), ...(reply_seq ? { reply_seq } : {}) };
}

/** Instead of what the same person has chosen before. */
function voted(votes: Tallies | undefined, was: readonly (number | string)[], now: readonly number[], me: boolean): Tallies {
  const less = was.reduce<Tallies>((tallies, option) => counted(tallies, String(option), -1, me), votes ?? {});
  return now.reduce<Tallies>((tallies, option) => counted(tallies, String(option), 1, me), less);
}

/** One's own counts once: it may have been shown before the event came. */
function counted(tallies: Tallies | undefined, key: string, by: 1 | -1, me: boolean): Tallies {
  const before = tallies?.[key] ?? { count: 0 };
  if (me && (before.mine ?? false) === by > 0) return tallies ?? {};
  const mine = me ? by > 0 : before.mine;
  const after = { ...tallies, [key]: { count: before.count + by, ...(mine ? { mine } : {}) } };
  if (before.count + by <= 0) delete after[key];
  return after;
}

function without(state: Amended, key: 'pinned' | 'mentions'): Amended {
  const { [key]: _, ...rest } = state;
  return rest;
}
