// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { computed, createApp, effectScope, nextTick, shallowRef } from 'vue';

import { hongyanKey, type Hongyan } from '@/app/hongyan';
import { withPage } from '@/core/fold';
import type { Event, Known } from '@/core/model';
import { useThread, type Thread } from '@/ui/room/thread';

import { after, conversation, event, old, page, start } from '../core/some';

const answer = (seq: number, sender = 'chen'): Event => ({ ...old(seq, sender), type: 'reply', content: { type: 'text', text: `答 ${seq}`, thread: 2 } });
const PAGE = 100; // so many the server gives at once

/** A thread of message 2, over a server that follows `follows` threads before this one. */
function opened(replies: readonly Event[], { follows = Infinity, begun = 'chen' } = {}) {
  const known = shallowRef<Known>(withPage(start(conversation('c1', { head_seq: 500 })), 'c1', page([old(500)], true), 'newest'));
  const asked: string[] = [];
  let round = 0;
  const rounds: number[] = [];
  const get = async (path: string): Promise<unknown> => {
    asked.push(path);
    rounds.push(round);
    await new Promise((resolve) => setTimeout(resolve));
    round += 1;
    const query = new URLSearchParams(path.split('?')[1]);
    if (path.includes('/messages/2/thread')) {
      const above = replies.filter(({ seq }) => seq > Number(query.get('after') ?? 0));
      return { ...page(above.slice(0, PAGE), above.length > PAGE), amended: above.slice(0, 1).map(({ seq }) => ({ seq, at: 450, edits: 1 })) };
    }
    if (!path.startsWith('v1/me/threads')) return page([old(2, begun)]);
    const from = Number(query.get('before') ?? 1_000);
    const threads = Array.from({ length: PAGE }, (_, at) => ({ conversation: 'c1', seq: 1_000 - from + at === follows ? 2 : 9_000 + at, place: from - at - 1, read_seq: 120 }));
    return { threads, more: from > 700 };
  };
  const hongyan = { known, api: { get } } as unknown as Hongyan;
  const room = computed(() => known.value.rooms.get('c1'));
  const thread: Thread = createApp({}).provide(hongyanKey, hongyan).runWithContext(() => effectScope().run(() => useThread('c1', 2, room))!);
  return { known, thread, asked, rounds };
}

const replies = (count: number): Event[] => Array.from({ length: count }, (_, at) => answer(101 + at));

test('a thread opens in one round', async () => {
  const { thread, rounds } = opened(replies(30), { follows: 7 });
  await thread.load();
  expect(rounds).toEqual([0, 0, 0]);
  expect([thread.events.value?.length, thread.followed.value, thread.read.value]).toEqual([31, true, 120]);
});

test('a long thread is there as a whole, and goes on with what comes', async () => {
  const { known, thread } = opened(replies(250));
  await thread.load();
  expect(thread.events.value?.map(({ seq }) => seq)).toEqual([2, ...Array.from({ length: 250 }, (_, at) => 101 + at)]);
  expect([101, 201, 301].map((seq) => thread.states.value.get(seq)?.edits)).toEqual([1, 1, 1]);
  known.value = after(known.value, event(501, 'reply', 'chen', { type: 'text', text: '又', thread: 2 }));
  await nextTick();
  expect(thread.events.value?.at(-1)?.seq).toBe(501);
});

test.each([[7, true], [250, true], [Infinity, false]])('it is known whether one follows it, however many one follows: %s', async (follows, followed) => {
  const { thread } = opened([answer(101), answer(102, 'lin')], { follows });
  await thread.load();
  expect([thread.followed.value, thread.read.value]).toEqual([followed, followed ? 120 : null]);
});

test('who began a thread follows it', async () => {
  const { thread } = opened([], { begun: 'lin' });
  await thread.load();
  expect(thread.followed.value).toBe(true);
});
