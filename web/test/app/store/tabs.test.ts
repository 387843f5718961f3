// @vitest-environment happy-dom
// Several tabs of a browser.

import { expect, test } from 'vitest';

import { withoutTabs } from '../../link/browser';
import { count, lobby, server, tab, texts, until } from './house';

test('two tabs share one connection and know the same; when the first closes the other goes on without a gap', async () => {
  const [one, two] = [await tab(), await tab()];
  await Promise.all([one.load('lobby'), two.load('lobby')]);
  expect([one.link.value.shared, two.link.value.shared]).toEqual([false, true]);
  expect(count('ws auth')).toBe(1);
  server.say('一');
  await until(() => texts(two).join('') === '从前一');
  two.read('lobby', 2);
  await until(() => lobby(one).unread === 0 && lobby(two).unread === 0);
  one.close();
  server.say('二');
  await until(() => two.leads && two.link.value.phase === 'open' && texts(two).join('') === '从前一二');
  server.say('三');
  await until(() => texts(two).join('') === '从前一二三');
  expect(two.link.value.shared).toBe(false);
  expect(count('GET /v1/snapshot')).toBe(1);
});

test('a follower forces a transport through the tab that leads, and keeps it when it leads itself', async () => {
  const [one, two] = [await tab(), await tab()];
  two.force('sse');
  await until(() => one.link.value.transport === 'sse' && two.link.value.transport === 'sse' && two.link.value.phase === 'open');
  server.say('一');
  await two.load('lobby');
  await until(() => texts(two).join('') === '从前一');
  one.close();
  await until(() => two.leads && two.link.value.phase === 'open');
  expect(two.link.value).toMatchObject({ transport: 'sse', forced: 'sse' });
});

test('where tabs cannot share each follows for itself', async () => {
  withoutTabs();
  const [one, two] = [await tab(), await tab()];
  server.say('一');
  await Promise.all([one.load('lobby'), two.load('lobby')]);
  await until(() => texts(one).join('') === '从前一' && texts(two).join('') === '从前一');
  expect(count('ws auth')).toBe(2);
});
