// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from 'vitest';

import { endPush } from '@/app/push';
import { type Api, Unreachable } from '@/link/api';

const KEPT = JSON.stringify({ token_id: 'i', endpoint: 'https://push.test/1' });
let ends = true;
const subscription = { endpoint: 'https://push.test/1', unsubscribe: vi.fn(async () => (ends ? true : Promise.reject(new Error('no network')))) };

vi.mock('@/app/worker', () => ({
  hasWorker: true,
  worker: async () => ({ pushManager: { getSubscription: async () => subscription } }),
  onWorker: () => {},
  closeNotes: async () => {},
}));

beforeEach(() => {
  subscription.unsubscribe.mockClear();
  localStorage.setItem('hongyan.push', KEPT);
});

test('where the server cannot be told, nothing has changed', async () => {
  const api = { remove: async () => Promise.reject(new Unreachable()) } as unknown as Api;
  await expect(endPush(api)).rejects.toBeInstanceOf(Unreachable);
  expect(subscription.unsubscribe).not.toHaveBeenCalled();
  expect(localStorage.getItem('hongyan.push')).toBe(KEPT);
});

test('a subscription that cannot be ended is remembered until it is', async () => {
  const api = { remove: async () => {} } as unknown as Api;
  ends = false;
  await expect(endPush(api)).rejects.toThrow('no network');
  expect(localStorage.getItem('hongyan.push')).toBe(KEPT);
  ends = true;
  await endPush(api);
  expect(localStorage.getItem('hongyan.push')).toBe(null);
});
