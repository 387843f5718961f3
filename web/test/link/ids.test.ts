import { expect, test } from 'vitest';

import { uuid7 } from '@/link/ids';

test('ids are UUIDv7 that grow, also within a millisecond and when the clock goes back', () => {
  const ids = [...Array.from({ length: 6_000 }, () => uuid7(1_700_000_000_000)), uuid7(1_600_000_000_000), uuid7(1_800_000_000_000)];
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
