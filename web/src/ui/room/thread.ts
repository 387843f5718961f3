// One thread: its first message and the answers, kept true by the events of its conversation.

import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { pageAfter, target } from '@/core/amend';
import type { Amended, Event, Id, Page, Room, Seq } from '@/core/model';
import { type Api, conversationPath } from '@/link/api';
import { MOST, whole } from '@/link/whole';

interface Followed {
  readonly conversation: Id;
  readonly seq: Seq;
  readonly place: number;
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
      const amended: Amended[] = [];
      const ask = async (rest = ''): Promise<Page> => {
        const found = await hongyan.api.get<Page>(path + rest);
        amended.push(...(found.amended ?? []));
        return found;
      };
      const [first, replies, mine] = await Promise.all([
        ask(),
        whole<Event>(async (last) => {
          const { events, more } = await ask(`/thread?limit=${MOST}${last ? `&after=${last.seq}` : ''}`);
          return { items: events, more };
        }),
        followedBy(hongyan.api, conversation, root).catch(() => undefined), // not known: it opens all the same
      ]);
      const events = [...first.events, ...replies];
      const wrote = events.some(({ sender }) => sender === hongyan.known.value.me?.id);
      read.value = mine?.read_seq ?? null;
      // Who began it follows it with the first answer.
      followed.value = mine === undefined || (!mine && !replies.length) ? wrote : mine !== null;
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

/** Null: one does not follow it. Threads with the newest messages come first. */
async function followedBy(api: Api, conversation: Id, root: Seq): Promise<Followed | null> {
  let found: Followed | undefined;
  await whole<Followed>(async (last) => {
    const { threads, more } = await api.get<{ threads: readonly Followed[]; more: boolean }>(`v1/me/threads?limit=100${last ? `&before=${last.place}` : ''}`);
    found = threads.find((one) => one.conversation === conversation && one.seq === root);
    return { items: threads, more: more && !found };
  });
  return found ?? null;
}

/** Of a run, which ascends. */
const after = (events: readonly Event[], seq: Seq): readonly Event[] => events.slice(events.findLastIndex((event) => event.seq <= seq) + 1);
