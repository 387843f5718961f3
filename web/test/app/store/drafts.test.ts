// @vitest-environment happy-dom
// Drafts, on their way to the other devices.

import { expect, test } from 'vitest';

import type { Store } from '@/app/store';

import { elsewhere } from '../../link/browser';
import { lobby, open, pause, SESSION, server, tab, until } from './house';

const draft = (said?: string) => ({ type: 'draft', conversation: 'lobby', ...(said === undefined ? {} : { text: said }) }) as const;
const drafted = (store: Store): string | undefined => lobby(store).own.drafts?.[0]?.text;
const told = (): unknown[] => server.log.filter(({ type }) => type === 'draft').map(({ content }) => content.text);

test('a draft that could not be told is kept, also over a reload, and the newest is told', async () => {
  const first = await tab();
  server.up = false;
  server.breakOff();
  await first.own(draft('写'));
  await first.own(draft('写到一半'));
  expect(drafted(first)).toBe('写到一半');
  first.close();
  open.length = 0;
  server.up = true;
  const store = await tab();
  await until(() => told().length > 0);
  expect(drafted(store)).toBe('写到一半');
  await until(() => !Object.keys(localStorage).some((key) => key.startsWith('hongyan.draft.')));
  expect(told()).toEqual(['写到一半']);
});

test('an older draft that is answered late does not come back', async () => {
  const store = await tab();
  const late: (() => void)[] = [];
  server.answers.set('POST /v1/me/acts', async (_, { act }) => {
    if (act.text) await new Promise<void>((go) => late.push(go));
    return { position: server.add('user:lin', act.type, act, { sender: 'lin' }) && server.position };
  });
  await store.own(draft('就要发了'));
  await until(() => late.length === 1);
  await store.own(draft());
  const seen: unknown[] = [];
  const looks = setInterval(() => seen.push(drafted(store)));
  late[0]!();
  await until(() => told().length === 2);
  await pause(50);
  clearInterval(looks);
  expect(new Set(seen)).toEqual(new Set([undefined]));
});

test.each(['wang', 'li'])('a draft is told for who wrote it, and for nobody else: %s', async (user) => {
  localStorage.setItem('hongyan.session', JSON.stringify({ ...SESSION, user: 'li.wei' }));
  const store = await tab();
  server.up = false;
  server.breakOff();
  await store.own(draft('不给别人'));
  server.up = true;
  await store.login(user, 'x');
  await until(() => store.ready.value && store.link.value.phase === 'open');
  await pause(100);
  expect(told()).toEqual([]);
  expect(Object.keys(localStorage)).toContain('hongyan.draft.li.wei:lobby '); // it waits for its writer
  await store.logout();
  await store.own(draft('太晚了'));
  expect(Object.keys(localStorage).filter((key) => key.startsWith('hongyan.draft.'))).toEqual([]);
});

test('what another tab has written since is not told over', async () => {
  const store = await tab();
  server.up = false;
  server.breakOff();
  await store.own(draft('旧'));
  elsewhere('hongyan.draft.lin:lobby ', JSON.stringify({ act: draft('新'), time: Date.now() }));
  server.up = true;
  store.retryNow();
  await until(() => store.link.value.phase === 'open');
  await pause(100);
  expect(told()).toEqual([]);
});
