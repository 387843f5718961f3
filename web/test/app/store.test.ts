// @vitest-environment happy-dom
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createHongyan, type Store } from '@/app/store';
import { early } from '@/app/store/early';
import type { Room } from '@/core/model';
import { Api, Problem, Unreachable } from '@/link/api';
import { Cache } from '@/link/cache';

import { elsewhere, hide, settle, shareTabs, withoutTabs } from '../link/browser';
import { FakeServer, problem } from '../link/server';

const SESSION = { user: 'lin', name: '林', token: 'T', token_id: 'i', device: 'test' };
let server: FakeServer;
const open: Store[] = [];

async function tab(): Promise<Store> {
  const store = createHongyan({ api: new Api(new URL('http://server.test/')) });
  open.push(store);
  await until(() => store.session.value === null || (store.ready.value && (store.link.value.phase === 'open' || !server.up)));
  return store;
}

async function until(true_: () => boolean, what = true_.toString()): Promise<void> {
  for (let n = 0; n < 400; n += 1) {
    if (true_()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

const pause = (milliseconds: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const lobby = (store: Store): Room => store.known.value.rooms.get('lobby')!;
const texts = (store: Store): string[] => lobby(store).events.flatMap(({ type, content }) => (type === 'message' ? [content.text] : []));
const text = (said: string) => ({ type: 'text', text: said }) as const;
const count = (what: string): number => server.asked.filter((one) => one.startsWith(what)).length;

/** The conversations of the cache, as they are in the browser. */
const kept = (): Promise<unknown[]> =>
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

test('it starts from a snapshot and follows', async () => {
  const store = await tab();
  await store.load('lobby');
  server.say('现在');
  await until(() => texts(store).length === 2);
  expect(lobby(store).unread).toBe(2);
  expect(store.link.value).toMatchObject({ phase: 'open', transport: 'ws', shared: false });
  await until(() => store.known.value.presence.get('bob')?.status === 'online');
});

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

test('read marks are shown at once, told a few times a second, and only forward', async () => {
  const store = await tab();
  await store.load('lobby');
  for (const said of ['一', '二', '三']) server.say(said);
  await until(() => lobby(store).unread === 4);
  for (const seq of [1, 2, 4, 3, 9]) store.read('lobby', seq);
  expect([lobby(store).unread, lobby(store).read_seq]).toEqual([0, 4]);
  await until(() => server.log.some(({ type }) => type === 'read'));
  await pause(400);
  expect(server.log.filter(({ type }) => type === 'read').map(({ content }) => content.seq)).toEqual([4]);
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
  await until(() => server.log.some(({ type }) => type === 'read'));
  expect(lobby(store).unread).toBe(0);
});

test('typing is told at most every three seconds', async () => {
  const store = await tab();
  for (let n = 0; n < 5; n += 1) store.typing('lobby');
  expect(count('ws typing')).toBe(1);
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
