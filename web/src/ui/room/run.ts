// The run of one conversation as it is read: where it opens, what is unread, what is marked as read.

import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { firstUnread, timeline } from '@/core/groups';
import type { Id, Room, Seq } from '@/core/model';
import { eventAt } from '@/ui/message/said';

import { rowsOf, unreadAbove, type Row } from './timeline';

/** What the rows are made of: nothing else that happens in a room makes them anew. */
const DRAWN = ['loaded', 'events', 'states', 'hidden', 'older'] as const;

export interface Run {
  readonly rows: ComputedRef<readonly Row[]>;
  /** Loaded, and it is known where to open. */
  readonly opened: Readonly<Ref<boolean>>;
  readonly error: Readonly<Ref<unknown>>;
  /** Where it opens; null: at the first unread, or the end. */
  readonly at: Readonly<Ref<Seq | null>>;
  start(seq: Seq | undefined): Promise<void>;
  /** Another part of the conversation, around a message. */
  around(seq: Seq): Promise<void>;
  newest(): Promise<void>;
  seen(seq: Seq): void;
}

export function useRun(conversation: Id, room: Readonly<Ref<Room | undefined>>, held: Readonly<Ref<boolean>>): Run {
  const hongyan = useHongyan();
  const opened = shallowRef(false);
  const error = shallowRef<unknown>(null);
  const at = shallowRef<Seq | null>(null);
  const unread = shallowRef<Seq | null>(null);
  const me = computed(() => hongyan.known.value.me?.id ?? '');

  const outgoing = computed(() =>
    hongyan.outgoing.value.filter((one) => one.conversation === conversation && !(one.content.type === 'text' && one.content.thread !== undefined)),
  );
  const here = computed<Room | undefined>((before) => {
    const now = room.value;
    return now && before && DRAWN.every((part) => now[part] === before[part]) ? before : now;
  });
  const rows = computed(() => {
    if (!here.value?.loaded) return [];
    return rowsOf(timeline(here.value, unread.value), outgoing.value, !here.value.older, me.value);
  });

  const mark = (): void => void (unread.value = room.value ? firstUnread(room.value, me.value) : null);

  // What comes while nobody looks is below a divider too.
  watch(
    () => room.value?.unread ?? 0,
    (now, was) => {
      if (opened.value && was === 0 && now > 0 && !document.hasFocus()) mark();
    },
  );
  watch(
    () => room.value?.own.unread_from,
    (from) => {
      if (opened.value && from !== undefined) unread.value = from;
    },
  );

  async function start(seq: Seq | undefined): Promise<void> {
    error.value = null;
    at.value = seq ?? null;
    try {
      if (seq !== undefined) {
        await hongyan.load(conversation);
        if (room.value && !eventAt(room.value.events, seq)) await hongyan.loadAround(conversation, seq);
        mark();
      } else {
        await hongyan.load(conversation);
        const here = room.value;
        const above = here && unreadAbove(here, me.value);
        if (above) await hongyan.loadAround(conversation, above);
        else if (here?.newer && !here.unread) await hongyan.loadNewest(conversation);
        mark();
      }
      opened.value = true;
    } catch (failure) {
      if (room.value?.loaded) opened.value = true;
      else error.value = failure;
    }
  }

  return {
    rows,
    opened,
    error,
    at,
    start,
    async around(seq) {
      at.value = seq;
      await hongyan.loadAround(conversation, seq);
    },
    async newest() {
      at.value = null;
      unread.value = null;
      await hongyan.loadNewest(conversation);
    },
    seen(seq) {
      const here = room.value;
      if (!here || held.value || !opened.value) return;
      const from = here.own.unread_from;
      if (seq > here.read_seq || (from !== undefined && seq >= from)) hongyan.read(conversation, seq);
    },
  };
}
