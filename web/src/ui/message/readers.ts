// How many have read one's own messages, in direct and small conversations. A mark only grows: who has read a message has read
// all before it, so one answer is worth something for all older messages.

import { inject, provide, shallowRef, type InjectionKey } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Id, Room, Seq } from '@/core/model';
import type { Desk } from '@/ui/room/desk';

import { useWho } from './who';

export interface Readers {
  /** Null: it is not told here, or not known yet. */
  of(seq: Seq): { readonly read: number; readonly all: number } | null;
  /** It can be seen: its readers are asked for, once. */
  ask(seq: Seq): void;
}

/** Others whose mark is at or above `seq`, by what was told and what was asked. Pure. */
export function readBy(seq: Seq, others: readonly Id[], ...marks: readonly ReadonlyMap<Id, Seq>[]): number {
  return others.filter((id) => marks.some((some) => (some.get(id) ?? 0) >= seq)).length;
}

const key: InjectionKey<Readers> = Symbol('readers');

export function provideReaders(desk: Desk): Readers {
  const hongyan = useHongyan();
  const who = useWho(desk);
  const asked = new Set<Seq>();
  const marks = shallowRef<ReadonlyMap<Id, Seq>>(new Map());

  const others = (room: Room): readonly Id[] => {
    const me = hongyan.known.value.me?.id;
    return (room.members ?? []).filter((one) => one.id !== me).map((one) => one.id);
  };

  const readers: Readers = {
    of(seq) {
      const room = desk.room.value;
      if (!room?.members || !asked.has(seq)) return null;
      const all = others(room);
      return all.length ? { read: readBy(seq, all, room.marks, marks.value), all: all.length } : null;
    },
    ask(seq) {
      const room = desk.room.value;
      if (!room?.members || asked.has(seq)) return;
      asked.add(seq);
      const all = others(room);
      if (readBy(seq, all, room.marks, marks.value) === all.length) return;
      who.read(seq, true, '', 100).then(
        ({ users }) => {
          const next = new Map(marks.value);
          for (const { id } of users) next.set(id, Math.max(next.get(id) ?? 0, seq));
          marks.value = next;
        },
        () => asked.delete(seq),
      );
    },
  };
  provide(key, readers);
  return readers;
}

export const useReaders = (): Readers | null => inject(key, null);
