import { expect, test } from 'vitest';

import { whole } from '@/link/whole';

const numbers = (from = 0) => ({ items: [from + 1, from + 2], more: from < 4 });

test('a list is put together from its pages', async () => {
  const asked: unknown[] = [];
  expect(await whole(async (last: number | undefined) => (asked.push(last), numbers(last)))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(asked).toEqual([undefined, 2, 4]);
  expect(await whole(async (last: number | undefined) => numbers(last), 3)).toEqual([1, 2, 3, 4]);
  expect(await whole(async () => ({ items: [], more: true }))).toEqual([]);
});
