// The list of conversations: its order, and how each looks: its title, the end of its name, its tint.

import type { Id, Known, Person, Room, Time } from './model';
import { isMuted } from './notify';

export interface Ordered {
  readonly pinned: readonly Room[];
  readonly others: readonly Room[];
  readonly archived: readonly Room[];
}

/**
 * Newest first; a conversation without messages stands by the time it was made, as far as that is known. Pinned ones as they were
 * put; those that were not come first.
 */
export function ordered({ rooms }: Pick<Known, 'rooms'>): Ordered {
  const found = made.get(rooms) ?? order([...rooms.values()]);
  made.set(rooms, found);
  return found;
}

/** All that show a list ask, at whatever happens. */
const made = new WeakMap<Known['rooms'], Ordered>();

function order(all: readonly Room[]): Ordered {
  const rooms = all.toSorted((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? -1 : 1));
  return {
    pinned: rooms.filter((room) => room.own.pinned && !room.own.archived).sort((a, b) => (a.own.place ?? -1) - (b.own.place ?? -1)),
    others: rooms.filter((room) => !room.own.pinned && !room.own.archived),
    archived: rooms.filter((room) => room.own.archived),
  };
}

export const timeOf = (room: Room): Time => room.last?.time ?? room.events[0]?.time ?? 0;

/** Unread messages that ask for attention, for the badge: a muted conversation does so with mentions only. */
export function attention(known: Known, now: Time): { readonly unread: number; readonly mentioned: number } {
  const rooms = [...known.rooms.values()].filter((room) => !room.own.archived);
  const sum = (of: (room: Room) => number): number => rooms.reduce((all, room) => all + of(room), 0);
  return { unread: sum((room) => (isMuted(room, now) ? 0 : room.unread)), mentioned: sum((room) => (room.own.level === 'nothing' ? 0 : room.mentioned)) };
}

/** A display name, or the id of somebody never seen. */
export const nameOf = ({ names }: Pick<Known, 'names'>, user: Id): string => names.get(user) ?? user;

/** Who a direct conversation is with: oneself, in one with nobody else. Null for groups. */
export function other(room: Room, known: Known): Person | null {
  if (room.kind !== 'direct') return null;
  const member = room.members?.find(({ id }) => id !== known.me?.id) ?? room.members?.[0];
  return member ? { id: member.id, name: nameOf(known, member.id) } : null;
}

export const title = (room: Room, known: Known): string => other(room, known)?.name ?? room.title ?? room.id;

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** For an avatar without a picture: the last two characters of a name in Chinese, the initials of others. */
export function initials(name: string): string {
  const words = name.split(/[\s()（）[\]【】·._-]+/u).filter(Boolean);
  const word = words.at(-1) ?? name;
  const signs = (text: string): string[] => [...letters.segment(text)].map(({ segment }) => segment);
  if (CJK.test(word)) return signs(word).slice(-2).join('');
  if (CJK.test(name)) return signs(words.find((one) => CJK.test(one)) ?? word).slice(-2).join('');
  const ends = words.length > 1 ? [words[0]!, word] : [word];
  return ends.map((one) => signs(one)[0] ?? '').join('').toUpperCase();
}

/** One of twelve, always the same for an id. */
export function tint(id: Id): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) sum = Math.imul(sum ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return sum % 12;
}
