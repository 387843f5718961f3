// @vitest-environment happy-dom
// Log-in, log-out, and who was here before.

import { expect, test } from 'vitest';

import { Unreachable } from '@/link/api';

import { elsewhere } from '../../link/browser';
import { problem } from '../../link/server';
import { count, kept, lobby, pause, SESSION, server, tab, text, until } from './house';

test('log-in, its failures, and the session that is kept', async () => {
  localStorage.clear();
  const store = await tab();
  server.answers.set('POST /v1/login', () => problem('wrong-password', 401));
  await expect(store.login('lin', 'x')).rejects.toMatchObject({ code: 'wrong-password' });
  server.up = false;
  await expect(store.login('lin', 'x')).rejects.toBeInstanceOf(Unreachable);
  server.up = true;
  server.answers.clear();
  expect(await store.login('lin', 'x')).toEqual({ changePassword: false });
  await until(() => store.ready.value);
  expect(JSON.parse(localStorage.getItem('hongyan.session')!)).toMatchObject({ user: 'lin', token: 'T' });
});

test('log-out ends the token and leaves nothing behind, in any tab', async () => {
  const [one, two] = [await tab(), await tab()];
  server.answers.set('POST /v1/conversations/lobby/messages', () => new Promise(() => {}));
  server.cut.add('ws');
  server.breakOff();
  one.send('lobby', text('不会发'));
  await pause(2_300); // the cache is written
  expect((await kept()).length).toBe(1);
  const before = localStorage.getItem('hongyan.session');
  await one.logout();
  expect(count('POST /v1/logout')).toBe(1);
  expect([one.session.value, one.known.value.rooms.size, one.outgoing.value.length]).toEqual([null, 0, 0]);
  expect(Object.keys(localStorage)).toEqual([]);
  window.dispatchEvent(new StorageEvent('storage', { key: 'hongyan.session', oldValue: before, newValue: null }));
  expect([two.session.value, two.link.value.phase]).toEqual([null, 'idle']);
  expect(await kept()).toEqual([]);
});

test('a page that somebody had asked for is not given to who logs in after', async () => {
  const store = await tab();
  let give = (_: unknown): void => {};
  server.answers.set('GET /v1/conversations/lobby/events', () => new Promise((resolve) => (give = resolve)));
  const loading = store.load('lobby');
  await pause(20);
  await store.logout();
  server.answers.clear();
  await store.login('chen', 'x');
  await until(() => store.ready.value);
  give({ events: [server.log[0]], more: false, amended: [] });
  await loading;
  await pause(20);
  expect([lobby(store).loaded, lobby(store).events.length]).toEqual([false, 0]);
});

test('a log-out that the server does not hear of is told when it can be reached', async () => {
  const store = await tab();
  server.up = false;
  server.breakOff();
  expect(await store.logout()).toBe(false);
  expect(store.session.value).toBe(null);
  server.up = true;
  const bearers: unknown[] = [];
  server.answers.set('POST /v1/logout', (_, __, { headers }) => void bearers.push(new Headers(headers).get('Authorization')));
  dispatchEvent(new Event('online'));
  await until(() => localStorage.length === 0);
  expect(bearers).toEqual(['Bearer T']);
});

test('a log-out leaves nothing of anybody, also of one whose token had ended', async () => {
  const store = await tab();
  server.up = false;
  server.breakOff();
  store.send('lobby', text('未发'));
  await pause(20);
  store.api.onEnded?.();
  expect(JSON.stringify(localStorage)).toContain('未发');
  server.up = true;
  await store.login('chen', 'x');
  await until(() => store.ready.value);
  expect(store.outgoing.value).toEqual([]);
  await store.logout();
  expect(Object.keys(localStorage)).toEqual([]);
});

test('a log-in in another tab is one here', async () => {
  localStorage.clear();
  const store = await tab();
  elsewhere('hongyan.session', JSON.stringify(SESSION));
  await until(() => store.ready.value);
});

test('a token that ended leads to the log-in; what was written waits for it', async () => {
  const store = await tab();
  server.up = false;
  server.breakOff();
  store.send('lobby', text('等'));
  server.up = true;
  server.answers.set('POST /v1/conversations/lobby/messages', () => problem('not-authenticated', 401));
  server.answers.set('GET /v1/me', () => problem('not-authenticated', 401));
  server.cut.add('ws');
  await until(() => store.session.value === null);
  expect(localStorage.getItem('hongyan.session')).toBe(null);
  server.answers.clear();
  server.cut.clear();
  await store.login('lin', 'x');
  await until(() => server.log.some(({ content }) => content.text === '等'));
});
