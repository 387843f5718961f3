// How many messages above the mark count: those of others, or those that mention the reader. Twin of client/unread.py.

import type { Counted, Seq } from './model';

/** The server counts no further, so neither does the fold. */
const MOST = 1000;
/** Places that are remembered: half of them count as far as is counted. */
const KEPT = 2 * MOST;

/** Starts from the server's number, which says how many but not which; then remembers the places of what arrives. */
export const counting = (count: number, mark: Seq, head: Seq): Counted => ({ mark, unknown: count, above: head, places: [] });

export const count = (c: Counted): number => Math.min(MOST, c.unknown + c.places.length);

/** A message that counts. Beyond the bound the oldest places are forgotten, not the messages. */
export function arrived(c: Counted, seq: Seq): Counted {
  if (seq <= c.mark) return c;
  const places = [...c.places, seq];
  if (places.length <= KEPT) return { ...c, places };
  const forgotten = places.splice(0, KEPT / 2);
  return { ...c, places, unknown: c.unknown + forgotten.length, above: forgotten.at(-1)! };
}

/** A message that is there counts from now on, or does not. Null when it cannot be told what it did before. */
export function changed(c: Counted, seq: Seq, counts: boolean): Counted | null {
  if (seq <= c.mark) return c;
  if (c.unknown && seq <= c.above) return null;
  if (c.places.includes(seq) === counts) return c;
  const rest = c.places.filter((place) => place !== seq);
  return { ...c, places: counts ? [...rest, seq].sort((a, b) => a - b) : rest };
}

/** Move the mark, never back. While there are `unknown` ones left the count is a guess: ask. */
export function read(c: Counted, seq: Seq): Counted {
  if (seq <= c.mark) return c;
  const unknown = Math.min(c.unknown, Math.max(0, c.above - seq));
  return { ...c, mark: seq, unknown, places: c.places.filter((place) => place > seq) };
}

/** The places from `first` on are known now, from what was loaded. The number stays what the server said. */
export function learnt(c: Counted, first: Seq, places: readonly Seq[]): Counted {
  const total = c.unknown + c.places.length;
  if (!c.unknown || c.unknown >= MOST || places.length > total) return c;
  const before = c.places.filter((place) => place < first);
  const unknown = total - before.length - places.length;
  return unknown < 0 ? c : { ...c, unknown, above: first - 1, places: [...before, ...places] };
}
