// A message as it is read now: what was sent, and what has been done to it.

import { said } from '@/core/amend';
import type { Amended, Content, Event, Id, Room, Seq, Time } from '@/core/model';
import { t } from '@/words';

export interface Said {
  readonly seq: Seq;
  readonly sender: Id | null;
  readonly time: Time;
  readonly content: Content;
  readonly mentions: readonly string[];
  /** Null: nothing was done to it. */
  readonly amended: Amended | null;
  readonly event: Event<Content>;
}

const KNOWN = new Set(['text', 'poll', 'forward', 'encrypted', 'recalled']);

const made = new WeakMap<Event, Said>();

/** The same again as long as nothing changes, so that nothing is drawn again. */
export function saidOf(event: Event, amended: Amended | null | undefined): Said {
  const before = made.get(event);
  if (before && before.amended === (amended ?? null)) return before;
  const now = make(event, amended);
  made.set(event, now);
  return now;
}

function make(event: Event, amended: Amended | null | undefined): Said {
  const sent = event.content as Content | null;
  const content: Content = sent && KNOWN.has(sent.type) ? said(sent, amended) : { type: 'unknown' };
  const mentions = content.type === 'text' ? (content.mentions ?? []) : [];
  return { seq: event.seq, sender: event.sender, time: event.time, content, mentions, amended: amended ?? null, event: event as Event<Content> };
}

/** With who said it, where that is known. */
export const spoken = (who: string, words: string): string => (who ? t('list.who', { who }) + words : words);

/** What copying it gives; empty where there is nothing to copy. */
export function wordsOf(content: Content, name: (id: Id) => string = (id) => id): string {
  switch (content.type) {
    case 'text':
      return content.text;
    case 'poll':
      return [content.question, ...content.options.map((option, at) => `${at + 1}. ${option}`)].join('\n');
    case 'forward':
      return [content.text ?? '', ...content.items.map((item) => spoken(item.name || (item.sender ? name(item.sender) : ''), wordsOf(item.content, name)))]
        .filter(Boolean)
        .join('\n');
    default:
      return '';
  }
}

/** The newest event that a room holds of some kind. */
export const newest = ({ events = [], ahead = [] }: Partial<Pick<Room, 'events' | 'ahead'>> = {}, is: (event: Event) => boolean): Seq =>
  (ahead.findLast(is) ?? events.findLast(is))?.seq ?? 0;

/** In a run, which ascends. */
export function eventAt(events: readonly Event[], seq: Seq): Event | undefined {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return events[low]?.seq === seq ? events[low] : undefined;
}
