// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest';

import { Api } from '@/link/api';
import { forgetPictures, pictureOf } from '@/ui/base/pictures';

const later = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));

test('a picture is asked for once, not by way of the browser’s own cache, and forgotten with all that is kept', async () => {
  const kept = new Map<string, Response>();
  const cache = {
    match: async (url: URL) => kept.get(String(url))?.clone(),
    put: async (url: URL, response: Response) => void kept.set(String(url), response),
  };
  const deleted = vi.fn(async () => (kept.clear(), true));
  vi.stubGlobal('caches', { open: async () => cache, delete: deleted });
  const asked = vi.fn(async (_: URL, __: RequestInit) => new Response('picture'));
  vi.stubGlobal('fetch', asked);
  const api = new Api(new URL('http://server.test/'));
  const first = pictureOf(api, 'bob', 'h');
  expect(pictureOf(api, 'bob', 'h')).toBe(first);
  await later();
  expect(first.value).toMatch(/^blob:/);
  expect([asked.mock.calls.length, asked.mock.calls[0]![1].cache, kept.size]).toEqual([1, 'no-store', 1]);

  await forgetPictures();
  expect([deleted.mock.calls, kept.size]).toEqual([[['hongyan-pictures']], 0]);
  expect(pictureOf(api, 'bob', 'h')).not.toBe(first);
  await later();
  expect(asked).toHaveBeenCalledTimes(2);
  vi.unstubAllGlobals();
});
