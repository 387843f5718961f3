// @vitest-environment happy-dom
// What one does is shown at once, and goes out once.

import { expect, test } from 'vitest';

import { Problem } from '@/link/api';

import { problem } from '../../link/server';
import { count, lobby, open, pause, server, tab, text, texts, until } from './house';

test('what is sent is shown, goes out once, and makes place for its event', async () => {
  const store = await tab();
  await store.load('lobby');
  for (const said of ['一', '二', '三']) store.send('lobby', text(said));
  expect(store.outgoing.value.map(({ shown }) => (shown.type === 'text' ? shown.text : ''))).toEqual(['一', '二', '三']);
  await until(() => store.outgoing.value.length === 0);
  await until(() => texts(store).join('') === '从前一二三');
  expect(server.log.filter(({ sender }) => sender === 'lin').length).toBe(3);
});

test('what was written offline goes out once, in order, later, also after the page was closed', async () => {
  const first = await tab();
  server.up = false;
  server.breakOff();
  for (const said of ['一', '二']) first.send('lobby', text(said));
  await pause(50);
  first.close();
  open.length = 0;
  server.up = true;
  const store = await tab();
  store.send('lobby', text('三'));
  await until(() => store.outgoing.value.length === 0);
  expect(server.log.filter(({ sender }) => sender === 'lin').map(({ content }) => content.text)).toEqual(['一', '二', '三']);
});

test('acts are shown at once, and taken back when they are refused', async () => {
  const store = await tab();
  await store.load('lobby');
  const reactions = (): unknown => lobby(store).states.get(1)?.reactions?.['👍'];
  const going = store.act('lobby', { type: 'react', seq: 1, emoji: '👍' });
  expect(reactions()).toEqual({ count: 1, mine: true });
  await going;
  await until(() => lobby(store).head_seq === 2);
  expect(reactions()).toEqual({ count: 1, mine: true });
  server.answers.set('POST /v1/conversations/lobby/acts', () => problem('forbidden', 403));
  const refused = store.act('lobby', { type: 'unreact', seq: 1, emoji: '👍' });
  expect(reactions()).toBe(undefined);
  await expect(refused).rejects.toBeInstanceOf(Problem);
  expect(reactions()).toEqual({ count: 1, mine: true });
});

test('what is one\'s own is shown at once', async () => {
  const store = await tab();
  const going = store.own({ type: 'arrange', conversation: 'lobby', pinned: true, archived: false });
  expect(lobby(store).own.pinned).toBe(true);
  await going;
  await pause(50);
  expect(lobby(store).own.pinned).toBe(true);
});

test('bookmarks are asked for once they are wanted, and then follow', async () => {
  const store = await tab();
  const marks = (): unknown => [...(store.known.value.bookmarks?.get('lobby') ?? [])];
  const pages = [{ bookmarks: [{ conversation: 'lobby', seq: 9, place: 5, note: '记' }], more: true }, { bookmarks: [{ conversation: 'lobby', seq: 1, place: 2 }], more: false }];
  server.answers.set('GET /v1/me/bookmarks', ({ searchParams }) => pages[searchParams.get('before') === '5' ? 1 : 0]);
  expect(store.known.value.bookmarks).toBe(null);
  store.wantBookmarks();
  store.wantBookmarks();
  await until(() => store.known.value.bookmarks !== null);
  expect(count('GET /v1/me/bookmarks')).toBe(2);
  expect(marks()).toEqual([[9, '记'], [1, '']]);
  const going = store.own({ type: 'unbookmark', conversation: 'lobby', seq: 9 });
  expect(marks()).toEqual([[1, '']]);
  await going;
  server.add('user:lin', 'bookmark', { conversation: 'lobby', seq: 3 }, { sender: 'lin' });
  await until(() => JSON.stringify(marks()) === '[[1,""],[3,""]]');
});
