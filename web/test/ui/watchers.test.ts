// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { effectScope, nextTick, shallowRef, type EffectScope } from 'vue';

import type { Hongyan, LinkView } from '@/app/hongyan';
import type { Known } from '@/core/model';
import { drop, finish, toasts } from '@/ui/base/toasts';
import { watchersOf, type Watcher, type Watchers } from '@/ui/people/watchers';

import { start } from '../core/some';

const romeo = 'romeo@other.example';
const ben = 'ben@other.example';
let there: Watcher[] = [];
let up = true;
let calls: string[] = [];
let known = shallowRef<Known>(start());
let link = shallowRef<Pick<LinkView, 'phase'>>({ phase: 'connecting' });
let scope: EffectScope;
let watchers: Watchers;

function call(method: string, state?: 'sees') {
  return async (path: string): Promise<unknown> => {
    calls.push(`${method} ${path}`);
    if (!up) throw new Error('no network');
    const id = decodeURIComponent(path.split('/').at(-1) ?? '');
    if (method === 'PUT' && !there.some((one) => one.id === id)) throw new Error('not found');
    there = there.flatMap((one) => (one.id !== id ? [one] : state ? [{ id, state }] : method === 'GET' ? [one] : []));
    return { watchers: there };
  };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(300);
const heard = (seq: number): void => void (known.value = { ...known.value, heard: new Map([['watcher', seq]]) });
const ids = ({ asking, seeing }: Watchers): string[][] => [asking.value.map(({ id }) => id), seeing.value.map(({ id }) => id)];

beforeEach(() => {
  vi.useFakeTimers();
  calls = [];
  up = true;
  there = [{ id: romeo, state: 'asks' }, { id: ben, state: 'sees' }];
  known = shallowRef(start());
  link = shallowRef({ phase: 'connecting' });
  scope = effectScope();
  const api = { get: call('GET'), put: call('PUT', 'sees'), remove: call('DELETE') };
  watchers = scope.run(() => watchersOf({ api, known, link } as unknown as Hongyan))!;
});

afterEach(() => {
  scope.stop();
  drop();
  vi.useRealTimers();
});

async function connect(): Promise<void> {
  link.value = { phase: 'open' };
  await settle();
}

test('who asks is asked for with the first connection, again when that failed, and not with every one', async () => {
  await settle();
  expect(calls).toEqual([]);
  up = false;
  await connect();
  up = true;
  link.value = { phase: 'waiting' };
  await nextTick();
  await connect();
  expect(ids(watchers)).toEqual([[romeo], [ben]]);
  link.value = { phase: 'waiting' };
  await nextTick();
  await connect();
  expect(calls.length).toBe(2);
});

test('events, several at once, and another snapshot are reasons to ask again', async () => {
  await connect();
  there = [];
  heard(1);
  await nextTick();
  heard(2);
  await settle();
  expect(ids(watchers)).toEqual([[], []]);
  expect(calls.length).toBe(2);
  known.value = { ...known.value, me: { ...known.value.me! } };
  await settle();
  expect(calls.length).toBe(3);
});

test('who is allowed is so at once, and asks no longer when it was refused', async () => {
  await connect();
  const done = watchers.allow(romeo);
  expect(ids(watchers)).toEqual([[], [romeo, ben]]);
  await done;
  expect(calls.at(-1)).toBe('PUT v1/me/watchers/romeo%40other.example');
  there = [];
  await watchers.allow(ben);
  expect(ids(watchers)).toEqual([[], []]);
  expect(toasts.value.map(({ failed }) => failed)).toEqual([true]);
});

test('who is refused goes at once, and is told when it can no longer be undone', async () => {
  await connect();
  watchers.refuse(romeo, 'refused');
  expect(ids(watchers)).toEqual([[], [ben]]);
  toasts.value[0]!.act!.run();
  expect(ids(watchers)).toEqual([[romeo], [ben]]);
  watchers.refuse(romeo, 'refused');
  expect(calls.length).toBe(1);
  await finish();
  expect(calls.slice(1)).toEqual(['DELETE v1/me/watchers/romeo%40other.example', 'GET v1/me/watchers']);
  expect(ids(watchers)).toEqual([[], [ben]]);
  up = false;
  watchers.refuse(ben, 'refused');
  await finish();
  expect(ids(watchers)).toEqual([[], [ben]]);
});
