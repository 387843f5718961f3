// A store before a small server, for the tests of each part of it.

import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, vi } from 'vitest';

import { createHongyan, type Store } from '@/app/store';
import type { Room } from '@/core/model';
import { Api } from '@/link/api';

import { hide, shareTabs } from '../../link/browser';
import { FakeServer } from '../../link/server';

export const SESSION = { user: 'lin', name: '林', token: 'T', token_id: 'i', device: 'test' };
export let server: FakeServer;
export const open: Store[] = [];

export async function tab(): Promise<Store> {
  const store = createHongyan({ api: new Api(new URL('http://server.test/')) });
  open.push(store);
  await until(() => store.session.value === null || (store.ready.value && (store.link.value.phase === 'open' || !server.up)));
  return store;
}

export async function until(true_: () => boolean, what = true_.toString()): Promise<void> {
  for (let n = 0; n < 400; n += 1) {
    if (true_()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

export const pause = (milliseconds: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const lobby = (store: Store): Room => store.known.value.rooms.get('lobby')!;
export const texts = (store: Store): string[] => lobby(store).events.flatMap(({ type, content }) => (type === 'message' ? [content.text] : []));
export const text = (said: string) => ({ type: 'text', text: said }) as const;
export const count = (what: string): number => server.asked.filter((one) => one.startsWith(what)).length;

/** The conversations of the cache, as they are in the browser. */
export const kept = (): Promise<unknown[]> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open('hongyan');
    request.onerror = reject;
    request.onsuccess = () => {
      const all = request.result.transaction('rooms').objectStore('rooms').getAll();
      all.onsuccess = () => (request.result.close(), resolve(all.result));
    };
  });

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal('indexedDB', new IDBFactory());
  server = new FakeServer().install();
  server.say('从前');
  shareTabs();
  localStorage.setItem('hongyan.session', JSON.stringify(SESSION));
});

afterEach(() => {
  for (const store of open.splice(0)) store.close();
  hide(false);
  vi.unstubAllGlobals();
});
