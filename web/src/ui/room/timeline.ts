// The rows of a timeline, and what changes between two states of it. Pure.

import type { Outgoing } from '@/app/hongyan';
import { TOGETHER, type Item } from '@/core/groups';
import type { Id, Room, Seq } from '@/core/model';

export type Row =
  | Item
  /** Nothing is before it. */
  | { readonly kind: 'begin'; readonly key: 'begin' }
  | { readonly kind: 'outgoing'; readonly key: string; readonly outgoing: Outgoing; readonly first: boolean };

/** What is loaded, and what is on its way behind it. */
export function rowsOf(items: readonly Item[], outgoing: readonly Outgoing[], begins: boolean, me: Id): Row[] {
  const last = items.at(-1);
  let before = last?.kind === 'message' && last.event.sender === me ? last.event.time : null;
  const going = outgoing.map((one): Row => {
    const first = before === null || one.time - before > TOGETHER;
    before = one.time;
    return { kind: 'outgoing', key: `o${one.client_id}`, outgoing: one, first };
  });
  return [...(begins ? [{ kind: 'begin', key: 'begin' } as const] : []), ...items, ...going];
}

export const seqOf = (row: Row | undefined): Seq | null => (row?.kind === 'message' || row?.kind === 'system' ? row.event.seq : null);

export type Change = 'same' | 'below' | 'above' | 'other';

/** What became of rows: something below (or in them), something above, or they are another part of the conversation altogether. */
export function changeOf(was: readonly Row[], now: readonly Row[]): Change {
  if (was === now) return 'same';
  const [first, last] = ends(was);
  const [from, to] = ends(now);
  if (first === null || last === null) return was.length ? 'other' : 'below';
  if (from === null || to === null) return 'other';
  if (from > last || to < first) return 'other';
  const more = from < first && now.length > was.length && to === last;
  const less = from > first && now.length < was.length; // what is far above has gone
  return more || less ? 'above' : 'below';
}

const ends = (rows: readonly Row[]): [Seq | null, Seq | null] => [
  seqOf(rows.find((row) => seqOf(row) !== null)),
  seqOf(rows.findLast((row) => seqOf(row) !== null)),
];

/** Where a message stands; where the next one after it does, when it is not there itself. */
export function indexOf(rows: readonly Row[], seq: Seq): number {
  return rows.findIndex((row) => (seqOf(row) ?? -1) >= seq);
}

export const indexOfUnread = (rows: readonly Row[]): number => rows.findIndex((row) => row.kind === 'unread');

/** Messages of others below what has been seen. */
export function countBelow(rows: readonly Row[], seen: Seq, me: Id): number {
  let count = 0;
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const row = rows[at]!;
    const seq = seqOf(row);
    if (seq !== null && seq <= seen) break;
    if (row.kind === 'message' && row.event.sender !== me) count += 1;
  }
  return count;
}

/** How far somebody has read; what is below `first_seq` they may not read at all. */
export interface Mark {
  readonly user: Id;
  readonly seq: Seq;
  readonly first_seq: Seq;
}

/** How many of those who may read it have, by what was asked and by what was told. Pure. */
export function readBy(seq: Seq, others: readonly Id[], marks: ReadonlyMap<Id, Mark>, told: ReadonlyMap<Id, Seq>): { readonly read: number; readonly all: number } {
  const may = others.filter((id) => (marks.get(id)?.first_seq ?? 0) <= seq);
  const read = may.filter((id) => Math.max(marks.get(id)?.seq ?? 0, told.get(id) ?? 0) >= seq);
  return { read: read.length, all: may.length };
}

/** Where unread messages begin that the run does not reach; null when it has them all. */
export function unreadAbove(room: Pick<Room, 'events' | 'hidden' | 'older' | 'unread' | 'counted'>, me: Id): Seq | null {
  const { mark } = room.counted.unread;
  const counts = ({ seq, type, sender }: Room['events'][number]): boolean => type === 'message' && seq > mark && sender !== me && !room.hidden.has(seq);
  return room.older && room.events.filter(counts).length < room.unread ? mark + 1 : null;
}
