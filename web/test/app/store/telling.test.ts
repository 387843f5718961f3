// @vitest-environment happy-dom
// What others are told: read marks, typing.

import { expect, test } from 'vitest';

import { hide } from '../../link/browser';
import { problem } from '../../link/server';
import { count, lobby, pause, server, tab, until } from './house';

const MARK = 'POST /v1/conversations/lobby/read';
const marks = (): number[] => server.log.filter(({ type }) => type === 'read').map(({ content }) => content.seq);
const say = (times: number): void => {
  for (let n = 0; n < times; n += 1) server.say(String(n));
};

test('read marks are shown at once, told once who reads rests, and only forward', async () => {
  const store = await tab();
  await store.load('lobby');
  say(3);
  await until(() => lobby(store).unread === 4);
  for (const seq of [1, 2, 4, 3, 9]) store.read('lobby', seq);
  expect([lobby(store).unread, lobby(store).read_seq]).toEqual([0, 4]);
  await until(() => marks().length > 0);
  await pause(400);
  expect(marks()).toEqual([4]);
});

test('of fifty messages that are read as they come, a few marks are told', async () => {
  const store = await tab();
  for (let n = 2; n <= 51; n += 1) {
    server.say(String(n));
    await until(() => lobby(store).head_seq === n);
    store.read('lobby', n);
    await pause(50);
  }
  await until(() => marks().at(-1) === 51);
  expect(count('ws read')).toBeLessThanOrEqual(3); // two seconds and a half: after two, and at the end
});

test('one mark of a conversation is on its way, and the newest after it', async () => {
  const store = await tab();
  say(9);
  await until(() => lobby(store).head_seq === 10);
  store.force('sse');
  await until(() => store.link.value.transport === 'sse' && store.link.value.phase === 'open');
  const waiting: (() => void)[] = [];
  server.answers.set(MARK, (_, { seq }) => new Promise((resolve) => waiting.push(() => resolve(server.add('user:lin', 'read', { conversation: 'lobby', seq }, { sender: 'lin' })))));
  for (const seq of [2, 4, 6, 8]) {
    store.read('lobby', seq);
    await pause(350);
  }
  expect(count(MARK)).toBe(1);
  waiting[0]!();
  await until(() => waiting.length === 2);
  waiting[1]!();
  await pause(400);
  expect(marks()).toEqual([2, 8]);
});

test('who goes elsewhere has told at once what they have read', async () => {
  const store = await tab();
  say(3);
  await until(() => lobby(store).head_seq === 4);
  store.look('lobby');
  store.read('lobby', 2);
  store.look(null);
  expect(count('ws read')).toBe(1);
  await until(() => marks().join() === '2');
  await pause(20);
  store.look('lobby');
  store.read('lobby', 4);
  hide(true);
  expect(count('ws read')).toBe(2);
});

test('a mark that could not be told is told when the connection stands', async () => {
  const store = await tab();
  server.up = false;
  server.breakOff();
  await pause(20);
  store.read('lobby', 1);
  await pause(400);
  expect(lobby(store).unread).toBe(0);
  server.up = true;
  store.retryNow();
  await until(() => marks().length > 0);
  expect(lobby(store).unread).toBe(0);
});

test('a server that wants rest gets it, and then the newest mark; one that refuses a mark is believed', async () => {
  const store = await tab();
  say(3);
  await until(() => lobby(store).head_seq === 4);
  store.force('sse');
  await until(() => store.link.value.transport === 'sse' && store.link.value.phase === 'open');
  server.answers.set(MARK, () => problem('rate-limited', 429, 1));
  store.read('lobby', 2);
  await until(() => count(MARK) === 1);
  await pause(20);
  server.answers.delete(MARK);
  store.read('lobby', 3);
  await pause(500);
  expect(count(MARK)).toBe(1);
  await until(() => marks().join() === '3');
  server.answers.set(MARK, () => problem('forbidden', 403));
  store.read('lobby', 4);
  expect(lobby(store).read_seq).toBe(4);
  await until(() => lobby(store).read_seq === 3);
});

test('typing is told at most every three seconds', async () => {
  const store = await tab();
  for (let n = 0; n < 5; n += 1) store.typing('lobby');
  expect(count('ws typing')).toBe(1);
});
