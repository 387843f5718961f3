// What the list shows of the conversations that are known.

import type { Id, Known, Room, Time } from '@/core/model';
import { isMuted } from '@/core/notify';
import { ordered } from '@/core/order';
import type { AvatarKind } from '@/ui/base/pictures';

/** Pins first, then the newest; without what was put away. */
export function listed(known: Known): Room[] {
  const { pinned, others } = ordered(known);
  return [...pinned, ...others];
}

/** What its avatar says it is. */
export function avatarKind({ kind, writers }: Room): AvatarKind {
  if (kind !== 'channel') return kind === 'direct' ? 'person' : 'group';
  return writers === 'admins' ? 'news' : 'channel';
}

/** Asks for the reader: a mention, or unread messages that are not muted. */
export const calls = (room: Room, now: Time): boolean => room.mentioned > 0 || (room.unread > 0 && !isMuted(room, now));

/** The next one that calls, below or above the one that is open, and around the end. */
export function nextUnread(known: Known, open: Id | null, step: 1 | -1, now: Time = Date.now()): Id | null {
  const rooms = listed(known);
  const at = rooms.findIndex(({ id }) => id === open);
  const from = at < 0 ? (step === 1 ? -1 : rooms.length) : at;
  for (let away = 1; away <= rooms.length; away += 1) {
    const room = rooms[(from + step * away + rooms.length * 2) % rooms.length];
    if (room && room.id !== open && calls(room, now)) return room.id;
  }
  return null;
}
