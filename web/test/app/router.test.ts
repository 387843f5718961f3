// @vitest-environment happy-dom
import { expect, test } from 'vitest';

import { conversationRoute, go, href, open, route, routeOf, type Route } from '@/app/router';

const ROUTES: [string, Route][] = [
  ['#/', { page: 'home' }],
  ['#/c/lobby', conversationRoute('lobby')],
  ['#/c/%E9%9B%81%2F1', conversationRoute('雁/1')],
  ['#/c/lobby/12', conversationRoute('lobby', { seq: 12 })],
  ['#/c/lobby/thread/7', conversationRoute('lobby', { thread: 7 })],
  ['#/contacts', { page: 'contacts' }],
  ['#/channels', { page: 'channels' }],
  ['#/search', { page: 'search', q: '' }],
  ['#/search?q=%E6%BC%94%E7%BB%83+from%3Abob', { page: 'search', q: '演练 from:bob' }],
  ['#/saved', { page: 'saved' }],
  ['#/later', { page: 'later' }],
  ['#/threads', { page: 'threads' }],
  ['#/settings', { page: 'settings' }],
];

test.each(ROUTES)('%s', (hash, at) => {
  expect(routeOf(hash)).toEqual(at);
  expect(href(at)).toBe(hash);
});

test('what does not exist is home, and nothing breaks it', () => {
  for (const hash of ['', '#', '#/nowhere', '#/c/', '#/c']) expect(routeOf(hash)).toEqual({ page: 'home' });
  expect(routeOf('#/c/%E9%/0')).toEqual(conversationRoute('%E9%'));
  expect(routeOf('#/c/lobby/x')).toEqual(conversationRoute('lobby'));
});

test('going somewhere changes address and route', () => {
  open('lobby', { seq: 3 });
  expect(location.hash).toBe('#/c/lobby/3');
  expect(route.value).toEqual(conversationRoute('lobby', { seq: 3 }));
  go({ page: 'saved' }, 'replace');
  expect(route.value.page).toBe('saved');
});
