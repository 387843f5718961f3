// The emoji picker is one for the whole page: what it is open for, and the emoji that were taken last.

import { shallowRef, type ShallowRef } from 'vue';

import type { Seq } from '@/core/model';
import type { Anchor } from '@/ui/base/place';

export interface Picking {
  /** The message that gets it; null: the text being written. */
  readonly seq: Seq | null;
  readonly anchor: Anchor;
  pick(emoji: string): void;
}

const picking = shallowRef<Picking | null>(null);
export const usePicking = (): ShallowRef<Picking | null> => picking;

const KEY = 'hongyan.emoji';
const FIRST = ['👍', '❤️', '😄', '🎉', '👌', '🙏', '👀', '💪'];

/** The last taken, filled up with those that most people take. */
export function recent(): string[] {
  const kept = (localStorage.getItem(KEY) ?? '').split(' ').filter(Boolean);
  return [...new Set([...kept, ...FIRST])].slice(0, FIRST.length);
}

export function taken(emoji: string): void {
  localStorage.setItem(KEY, [...new Set([emoji, ...recent()])].slice(0, FIRST.length).join(' '));
}
