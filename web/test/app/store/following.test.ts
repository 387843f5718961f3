// @vitest-environment happy-dom
// What is known, from a snapshot or the cache, and what comes since.

import { expect, test } from 'vitest';

import { createHongyan } from '@/app/store';
import { early } from '@/app/store/early';
import { Api } from '@/link/api';
import { Cache } from '@/link/cache';

import { hide, settle } from '../../link/browser';
import { FakeServer } from '../../link/server';
import { count, lobby, open, pause, SESSION, server, tab, texts, until } from './house';

test('it starts from a snapshot and follows', async () => {
  const store = await tab();
  await store.load('lobby');
  server.say('现在');
  await until(() => texts(store).length === 2);
  expect(lobby(store).unread).toBe(2);
  expect(store.link.value).toMatchObject({ phase: 'open', transport: 'ws', shared: false });
  await until(() => store.known.value.presence.get('bob')?.status === 'online');
});

test('it opens from the cache while there is no server, and catches up from its cursor', async () => {
  const first = await tab();
  await first.load('lobby');
  first.close();
  await pause(50);
  server.up = false;
  const store = await tab();
  expect(texts(store)).toEqual(['从前']);
  server.up = true;
  server.say('后来');
  store.retryNow();
  await until(() => texts(store).join('') === '从前后来');
  expect(count('GET /v1/snapshot')).toBe(1);
});

test('limited: everything anew, and what is looked at is loaded again', async () => {
  const store = await tab();
  await store.load('lobby');
  server.breakOff();
  await pause(0);
  server.epoch = 'f';
  server.log.length = 0;
  server.say('重来');
  await until(() => lobby(store).loaded && texts(store).join() === '重来');
});

test('a conversation that is new and people who are unknown are asked for, each once', async () => {
  const store = await tab();
  server.add('c9', 'member', { action: 'add', users: [{ id: 'lin', name: '林', role: 'member' }] });
  for (const said of ['一', '二', '三']) server.say(said, 'lobby', 'eve');
  await until(() => store.known.value.rooms.has('c9') && store.known.value.names.get('eve') === 'EVE');
  await pause(50);
  expect([count('GET /v1/conversations/c9'), count('GET /v1/users/eve')]).toEqual([1, 1]);
});

test('around a message, then on to the end', async () => {
  for (let n = 2; n <= 200; n += 1) server.say(String(n));
  const store = await tab();
  await store.load('lobby');
  await store.loadAround('lobby', 100);
  const seqs = (): number[] => [lobby(store).events[0]!.seq, lobby(store).events.at(-1)!.seq];
  expect(seqs()).toEqual([71, 130]);
  expect([lobby(store).older, lobby(store).newer]).toEqual([true, true]);
  await store.loadNewer('lobby');
  await store.loadOlder('lobby');
  expect(seqs()).toEqual([21, 180]);
  await Promise.all([store.loadNewest('lobby'), store.loadNewest('lobby')]);
  expect(seqs()[1]).toBe(200);
  expect(lobby(store).newer).toBe(false);
});

test('where nothing is kept, what there is and the open conversation are asked for together', async () => {
  const store = createHongyan({ api: new Api(new URL('http://server.test/')), place: 'lobby' });
  open.push(store);
  await until(() => server.asked.length >= 2);
  expect(server.asked.slice(0, 2).map((one) => one.split('?')[0])).toEqual(['GET /v1/snapshot', 'GET /v1/conversations/lobby/events']);
  await until(() => store.ready.value);
  await store.load('lobby');
  expect(texts(store)).toEqual(['从前']);
  expect([count('GET /v1/snapshot'), count('GET /v1/conversations/lobby/events')]).toEqual([1, 1]);
});

test('what was asked for before is taken, by the log-in for which it was', async () => {
  const api = new Api(new URL('http://server.test/'));
  api.token = SESSION.token;
  const cache = new Cache();
  const store = createHongyan({ api, cache, asked: early(api, cache, SESSION, 'lobby'), place: 'lobby' });
  open.push(store);
  await until(() => store.ready.value);
  await store.load('lobby');
  expect([count('GET /v1/snapshot'), count('GET /v1/conversations/lobby/events')]).toEqual([1, 1]);

  const other = new FakeServer().install();
  other.say('另一个人的');
  await store.logout();
  other.answers.set('POST /v1/login', () => ({ token: 'U', token_id: 'j', user_id: 'lin', name: '林', device: 'test', change_password: false }));
  await store.login('lin', 'x');
  await until(() => store.ready.value);
  expect(other.asked.filter((one) => one.startsWith('GET /v1/snapshot')).length).toBe(1);
});

test('somebody who types stops', async () => {
  const store = await tab();
  server.signal({ type: 'typing', conversation: 'lobby', user: 'bob', typing: true });
  await until(() => store.known.value.typing.get('lobby')?.has('bob') ?? false);
  server.signal({ type: 'typing', conversation: 'lobby', user: 'bob', typing: false });
  await until(() => !store.known.value.typing.has('lobby'));
});

test('hidden tabs fold at once, others once a frame', async () => {
  const store = await tab();
  server.say('一');
  await settle();
  expect(lobby(store).head_seq).toBe(1);
  hide(true);
  server.say('二');
  await settle();
  expect(lobby(store).head_seq).toBe(3);
});
