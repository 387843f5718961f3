// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest';
import { effectScope, nextTick, ref } from 'vue';

import { usePages, type Page } from '@/ui/base/pages';

const settled = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(0);
  await nextTick();
};

test('a page is asked for once, and one that belongs to another question is left out', async () => {
  vi.useFakeTimers();
  const q = ref('a');
  const waiting: (() => void)[] = [];
  const asked: string[] = [];
  const ask = (from: string | null): Promise<Page<string>> => {
    const mine = q.value;
    asked.push(`${mine} ${from}`);
    return new Promise((answer) => waiting.push(() => answer({ items: [`${mine}${from ?? 0}`], next: from === null ? '1' : null })));
  };
  const answer = async (): Promise<void> => {
    waiting.shift()!();
    await settled();
  };
  const scope = effectScope();
  const pages = scope.run(() => usePages(ask, q))!;
  expect(pages.all.value).toBeNull();
  await answer();
  expect([pages.all.value, pages.more.value]).toEqual([['a0'], true]);

  void pages.loadMore();
  void pages.loadMore();
  expect(asked).toEqual(['a null', 'a 1']);

  q.value = 'b';
  await settled();
  expect(pages.busy.value).toBe(true);
  const [late, first] = waiting.splice(0);
  first!();
  await settled();
  late!();
  await settled();
  expect(pages.all.value).toEqual(['b0']);

  void pages.loadMore();
  await answer();
  expect([pages.all.value, pages.more.value]).toEqual([['b0', 'b1'], false]);
  scope.stop();
  vi.useRealTimers();
});

test('of the same list that has changed, as many pages are asked for as are there', async () => {
  vi.useFakeTimers();
  const changed = ref(0);
  const ask = async (from: string | null): Promise<Page<string>> => ({ items: [`${changed.value}.${from ?? 0}`], next: from === '2' ? null : String(Number(from) + 1) });
  const scope = effectScope();
  const pages = scope.run(() => usePages(ask, changed, { same: true }))!;
  await settled();
  await pages.loadMore();
  expect(pages.all.value).toEqual(['0.0', '0.1']);
  changed.value = 1;
  await settled();
  await settled();
  expect([pages.all.value, pages.more.value]).toEqual([['1.0', '1.1'], true]);
  await pages.loadMore();
  expect([pages.all.value, pages.more.value]).toEqual([['1.0', '1.1', '1.2'], false]);
  scope.stop();
  vi.useRealTimers();
});
