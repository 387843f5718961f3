// One thread: its first message and the answers, kept true by the events of its conversation.

import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { pageAfter, target } from '@/core/amend';
import type { Amended, Event, Id, Page, Room, Seq } from '@/core/model';
import { conversationPath } from '@/link/api';

interface Followed {
  readonly conversation: Id;
  readonly seq: Seq;
  readonly read_seq: Seq;
}

export interface Thread {
  /** The first message, then the answers; null until they are there. */
  readonly events: ComputedRef<readonly Event[] | null>;
  readonly states: ComputedRef<ReadonlyMap<Seq, Amended>>;
  readonly error: Readonly<Ref<unknown>>;
  readonly followed: Ref<boolean>;
  /** Up to where it was read before it was opened; null when that is not known. */
  readonly read: Readonly<Ref<Seq | null>>;
  load(): Promise<void>;
}

export function useThread(conversation: Id, root: Seq, room: Readonly<Ref<Room | undefined>>): Thread {
  const hongyan = useHongyan();
  const page = shallowRef<Page | null>(null);
  const error = shallowRef<unknown>(null);
  const followed = shallowRef(false);
  const read = shallowRef<Seq | null>(null);
  let upto: Seq = 0;

  async function load(): Promise<void> {
    error.value = null;
    try {
      const since = room.value?.head_seq ?? 0;
      const path = conversationPath(conversation, `/messages/${root}`);
      const [first, places] = await Promise.all([
        hongyan.api.get<Page>(path),
        hongyan.api.get<{ threads: readonly Followed[] }>('v1/me/threads?limit=100').catch(() => ({ threads: [] })),
      ]);
      const events = [...first.events];
      const amended = [...(first.amended ?? [])];
      for (let more = true; more; ) {
        const last = events.at(-1)!.seq;
        const next = await hongyan.api.get<Page>(`${path}/thread?limit=100${last > root ? `&after=${last}` : ''}`);
        events.push(...next.events);
        amended.push(...(next.amended ?? []));
        more = next.more && next.events.length > 0;
      }
      const found = places.threads.find((one) => one.conversation === conversation && one.seq === root);
      const me = hongyan.known.value.me?.id;
      read.value = found?.read_seq ?? null;
      followed.value = found !== undefined || events.some((event) => event.sender === me);
      page.value = { events, amended, more: false };
      upto = since;
      follow();
    } catch (failure) {
      error.value = failure;
    }
  }

  /** Goes on with what has come since. The same event again changes nothing. */
  function follow(): void {
    const here = room.value;
    let next = page.value;
    if (!here || !next) return;
    const me = hongyan.known.value.me?.id ?? '';
    const fresh = [...after(here.events, upto), ...after(here.ahead, upto)].sort((a, b) => a.seq - b.seq);
    for (const event of fresh) {
      upto = event.seq;
      if (event.type === 'reply' && target(event) === root && !next.events.some((one) => one.seq === event.seq)) {
        next = { ...next, events: [...next.events, event] };
        if (event.sender === me) followed.value = true;
      }
      next = pageAfter(next, event, me);
    }
    if (next !== page.value) page.value = next;
  }
  watch(room, follow);

  const amended = computed(() => room.value?.states);
  const states = computed(() => {
    const found = new Map(page.value?.amended?.map((state) => [state.seq, state]));
    // What one has just done is shown by the room first.
    for (const { seq } of page.value?.events ?? []) {
      const state = amended.value?.get(seq);
      if (state && state.at >= (found.get(seq)?.at ?? 0)) found.set(seq, state);
    }
    return found;
  });

  return { events: computed(() => page.value?.events ?? null), states, error, followed, read, load };
}

/** Of a run, which ascends. */
const after = (events: readonly Event[], seq: Seq): readonly Event[] => events.slice(events.findLastIndex((event) => event.seq <= seq) + 1);
