import type { Event } from './model';

/** Places in the log can be compared, as our other client does; to everything else a cursor is a word. */
export function position(cursor: string | undefined): number {
  const number = Number(cursor?.slice(cursor.lastIndexOf('.') + 1));
  return Number.isFinite(number) ? number : 0;
}

export const at = (event: Event): number => position(event.cursor);
