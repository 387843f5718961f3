// How many have read one's own messages, in direct and small conversations. A mark only grows: who has read a message has read
// all before it, so one answer is worth something for all older messages.

import { inject, provide, shallowRef, type InjectionKey } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Id, Room, Seq } from '@/core/model';
import type { Desk } from '@/ui/room/desk';
import { readBy } from '@/ui/room/timeline';

import { useWho } from './who';

export interface Readers {
  /** Null: it is not told here, or not known yet. */
  of(seq: Seq): { readonly read: number; readonly all: number } | null;
  /** It can be seen: its readers are asked for, once. */
  ask(seq: Seq): void;
}

const key: InjectionKey<Readers> = Symbol('readers');

export function provideReaders(desk: Desk): Readers {
  const hongyan = useHongyan();
  const who = useWho(desk);
  const waiting = new Set<Seq>();
  const answered = shallowRef<ReadonlySet<Seq>>(new Set());
  const marks = shallowRef<ReadonlyMap<Id, Seq>>(new Map());

  const others = (room: Room): readonly Id[] => {
    const me = hongyan.known.value.me?.id;
    return (room.members ?? []).filter((one) => one.id !== me).map((one) => one.id);
  };

  const readers: Readers = {
    of(seq) {
      const room = desk.room.value;
      if (!room?.members || !answered.value.has(seq)) return null;
      const all = others(room);
      return all.length ? { read: readBy(seq, all, room.marks, marks.value), all: all.length } : null;
    },
    ask(seq) {
      if (!desk.room.value?.members || answered.value.has(seq) || waiting.has(seq)) return;
      waiting.add(seq);
      if (waiting.size === 1) window.setTimeout(next, 200);
    },
  };

  /** The newest first, one after the other: what it says may make the others needless. */
  async function next(): Promise<void> {
    const room = desk.room.value;
    if (!waiting.size || !room) return;
    const seq = Math.max(...waiting);
    const all = others(room);
    try {
      if (readBy(seq, all, room.marks, marks.value) < all.length) {
        const { users } = await who.read(seq, true, '', 100);
        const known = new Map(marks.value);
        for (const { id } of users) known.set(id, Math.max(known.get(id) ?? 0, seq));
        marks.value = known;
      }
      answered.value = new Set(answered.value).add(seq);
    } catch {
      // Asked again when it is drawn again.
    }
    waiting.delete(seq);
    void next();
  }
  provide(key, readers);
  return readers;
}

export const useReaders = (): Readers | null => inject(key, null);
