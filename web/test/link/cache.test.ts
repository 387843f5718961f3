// @vitest-environment happy-dom
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test, vi } from 'vitest';

import { fold, fromSnapshot, nothing, withPage } from '@/core/fold';
import type { Known, Room } from '@/core/model';
import { Cache, kept } from '@/link/cache';

import { FakeServer } from './server';

/** A conversation with so many messages, all of them loaded. */
function known(messages: number): { known: Known; server: FakeServer } {
  const server = new FakeServer();
  for (let n = 0; n < messages; n += 1) server.say(String(n));
  const loaded = withPage(fromSnapshot(nothing, server.snapshot()), 'lobby', { events: server.log, more: false, amended: [] }, 'newest');
  return { known: loaded, server };
}

const lobby = (of: Known | undefined): Room => of!.rooms.get('lobby')!;

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

test('what was written is read, and goes on from its cursor', async () => {
  const { known: before, server } = known(3);
  await new Cache().write('lin', { cursor: server.cursor, known: before });
  const read = await new Cache().read('lin');
  expect(read?.cursor).toBe('e.3');
  expect(lobby(read?.known)).toEqual(lobby(before));
  const after = fold(read!.known, server.say('四'));
  expect(lobby(after).events.length).toBe(4);
  expect(lobby(after).unread).toBe(4);
});

test('only the newest of a long conversation is kept, and it is known that there is more', () => {
  const { known: before } = known(500);
  const room = lobby(kept({ cursor: 'e.500', known: before }).known);
  expect(room.events.length).toBeLessThanOrEqual(64);
  expect(room.events.at(-1)?.seq).toBe(500);
  expect([room.loaded, room.older]).toEqual([true, true]);
});

test('a run that does not reach the end is not kept', () => {
  const { known: before, server } = known(500);
  const around = withPage(before, 'lobby', { events: server.log.slice(100, 130), more: true, amended: [] }, 'around');
  const room = lobby(kept({ cursor: 'e.500', known: around }).known);
  expect([room.loaded, room.events.length]).toEqual([false, 0]);
});

test('another user finds nothing, and leaves nothing', async () => {
  const { known: before } = known(1);
  await new Cache().write('lin', { cursor: 'e.1', known: before });
  expect(await new Cache().read('chen')).toBe(null);
  expect(await new Cache().read('lin')).toBe(null);
});

test('emptied, also while something is being written', async () => {
  const { known: before } = known(1);
  const cache = new Cache();
  void cache.write('lin', { cursor: 'e.1', known: before });
  await cache.empty();
  expect(await cache.read('lin')).toBe(null);
});

test('two tabs that write do not mix', async () => {
  const { known: first, server } = known(1);
  const [one, other] = [new Cache(), new Cache()];
  await one.write('lin', { cursor: 'e.1', known: first });
  const later = fold(first, server.say('二'));
  await other.write('lin', { cursor: 'e.2', known: later });
  await one.write('lin', { cursor: 'e.1', known: first });
  const read = await new Cache().read('lin');
  expect([read?.cursor, lobby(read?.known).head_seq]).toEqual(['e.1', 1]);
});

test('a conversation that is gone is gone from it', async () => {
  const { known: before } = known(1);
  const cache = new Cache();
  await cache.write('lin', { cursor: 'e.1', known: before });
  await cache.write('lin', { cursor: 'e.2', known: { ...before, rooms: new Map() } });
  expect((await cache.read('lin'))?.known.rooms.size).toBe(0);
});

test('anything wrong means starting without', async () => {
  vi.stubGlobal('indexedDB', undefined);
  const cache = new Cache();
  await cache.write('lin', { cursor: 'e.1', known: nothing });
  expect(await cache.read('lin')).toBe(null);
  await cache.empty();
  vi.stubGlobal('indexedDB', { open: () => ({}) }); // never answers
  vi.useFakeTimers();
  const read = new Cache().read('lin');
  await vi.advanceTimersByTimeAsync(2_000);
  vi.useRealTimers();
  expect(await read).toBe(null);
});

test('a client with an older schema starts without, and leaves nothing of the newer one', async () => {
  const newer = indexedDB.open('hongyan', 99);
  newer.onupgradeneeded = () => newer.result.createObjectStore('state').put('secret', 'state');
  await new Promise((resolve) => (newer.onsuccess = resolve));
  newer.result.onversionchange = () => newer.result.close();
  const cache = new Cache();
  expect(await cache.read('lin')).toBe(null);
  const { known: before } = known(1);
  await cache.write('lin', { cursor: 'e.1', known: before });
  expect((await cache.read('lin'))?.cursor).toBe('e.1');
});
