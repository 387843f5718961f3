// How many have read one's own messages, in direct and small conversations: from the marks of all, asked for once for each
// connection, and what is told of them since. A mark only grows: who has read a message has read all before it.

import { inject, onScopeDispose, provide, shallowRef, watch, type InjectionKey } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Id, Seq } from '@/core/model';
import { conversationPath } from '@/link/api';
import type { Desk } from '@/ui/room/desk';
import { readBy, type Mark } from '@/ui/room/timeline';

export interface Readers {
  /** Null: it is not told here, or not known yet. */
  of(seq: Seq): { readonly read: number; readonly all: number } | null;
  /** One's own message can be seen: its readers are wanted. */
  want(): void;
}

const AFTER = 200; // what is to be seen first comes first

const key: InjectionKey<Readers> = Symbol('readers');

export function provideReaders(desk: Desk): Readers {
  const hongyan = useHongyan();
  const marks = shallowRef<ReadonlyMap<Id, Mark> | null>(null);
  let wanted = false;
  let timer = 0;

  async function ask(): Promise<void> {
    try {
      const answer = await hongyan.api.get<{ marks: readonly Mark[] }>(conversationPath(desk.conversation, '/read'));
      marks.value = new Map(answer.marks.map((mark) => [mark.user, mark]));
    } catch {
      wanted = false; // the next message that is drawn wants it again
    }
  }

  /** Not before others are heard: what is told while there is no connection would be missed. */
  function soon(): void {
    clearTimeout(timer);
    if (wanted && hongyan.link.value.phase === 'open') timer = window.setTimeout(ask, AFTER);
  }

  const readers: Readers = {
    of(seq) {
      const room = desk.room.value;
      if (!room?.members || !marks.value) return null;
      const others = room.members.filter(({ id }) => id !== hongyan.known.value.me?.id).map(({ id }) => id);
      const counted = readBy(seq, others, marks.value, room.marks);
      return counted.all ? counted : null;
    },
    want() {
      if (wanted || !desk.room.value?.members) return;
      wanted = true;
      soon();
    },
  };
  watch([() => hongyan.link.value.phase, () => desk.room.value?.members?.length], soon); // who is new may not read what was before
  onScopeDispose(() => clearTimeout(timer));
  provide(key, readers);
  return readers;
}

export const useReaders = (): Readers | null => inject(key, null);
