// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { State } from '@/app/store/state';

import { FakeServer } from '../link/server';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('somebody who types and says so no more stops, though nothing else comes', async () => {
  const state = new State({ over: (known) => known, changed: () => {} });
  state.take({ type: 'snapshot', snapshot: new FakeServer().snapshot() });
  const typing = { type: 'typing', conversation: 'lobby', user: 'bob', typing: true } as const;
  state.take({ type: 'batch', batch: { events: [], signals: [typing], cursor: null } });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state.known.value.typing.get('lobby')?.has('bob')).toBe(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(state.known.value.typing.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
