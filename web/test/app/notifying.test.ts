// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shallowRef } from 'vue';

import { notifying } from '@/app/notifying';
import { conversationRoute, route as current, type Route } from '@/app/router';
import { choose } from '@/app/settings';
import type { Store } from '@/app/store';
import { fold, fromSnapshot, nothing } from '@/core/fold';
import type { Event } from '@/core/model';

import { FakeServer } from '../link/server';

const push = vi.hoisted(() => ({ on: false }));
vi.mock('@/app/push', () => ({ pushed: () => push.on }));

class FakeNotification {
  static permission = 'granted';
  static shown: FakeNotification[] = [];
  onclick: (() => void) | null = null;
  closed = false;

  constructor(
    readonly title: string,
    readonly options: NotificationOptions,
  ) {
    FakeNotification.shown.push(this);
  }

  close(): void {
    this.closed = true;
  }
}

function house({ leads = true, looked = [] as string[] } = {}) {
  const server = new FakeServer();
  const known = shallowRef(fromSnapshot(nothing, server.snapshot()));
  let tell = (_: readonly Event[]): void => {};
  const looks: (string | null)[] = [];
  const store = {
    api: { root: new URL('http://server.test/') },
    known,
    leads,
    look: (id: string | null) => looks.push(id),
    session: shallowRef({ token_id: 'i' }),
    looked: (id?: string) => (id === undefined ? looked.length > 0 : looked.includes(id)),
    onSaid: (listener: typeof tell) => ((tell = listener), () => {}),
  } as unknown as Store;
  const at = shallowRef<Route>({ page: 'home' });
  const stop = notifying(store, at, (key) => key);
  const come = (...events: Event[]): void => {
    known.value = events.reduce(fold, known.value);
    tell(events);
  };
  return { server, known, at, looks, come, stop };
}

const titles = (): string[] => FakeNotification.shown.map(({ title }) => title);

beforeEach(() => {
  FakeNotification.shown = [];
  push.on = false;
  vi.stubGlobal('Notification', FakeNotification);
  choose('desktop', true);
  choose('sound', false);
});

afterEach(() => vi.unstubAllGlobals());

test('one note for each conversation, that counts', () => {
  const { server, come } = house();
  come(server.say('一'));
  come(server.say('二'), server.say('三'));
  expect(titles()).toEqual(['lobby', 'lobby (3)']);
  expect(FakeNotification.shown[1]?.options).toMatchObject({ body: 'Bob: 三', tag: 'lobby' });
});

test('a click opens the message', () => {
  const { server, come } = house();
  come(server.say('一'));
  FakeNotification.shown[0]?.onclick?.();
  expect(current.value).toEqual(conversationRoute('lobby', { seq: 1 }));
  expect(FakeNotification.shown[0]?.closed).toBe(true);
});

test('none of what is looked at, of oneself, of long ago, in a tab that follows, or against the setting', () => {
  const watched = house({ looked: ['lobby'] });
  watched.come(watched.server.say('一'));
  const following = house({ leads: false });
  following.come(following.server.say('一'));
  const { server, come } = house();
  come(server.say('我', 'lobby', 'lin'));
  come({ ...server.say('旧'), time: Date.now() - 3_600_000 });
  choose('desktop', false);
  come(server.say('二'));
  expect(titles()).toEqual([]);
});

test('in threads only what is meant for the reader', () => {
  const { server, come } = house();
  come(server.say('一'));
  come(server.add('lobby', 'reply', { type: 'text', text: '二', thread: 1 }));
  expect(titles().length).toBe(1);
  come(server.add('lobby', 'reply', { type: 'text', text: '@林', thread: 1, mentions: ['lin'] }));
  expect(titles().length).toBe(2);
  FakeNotification.shown[1]?.onclick?.();
  expect(current.value).toEqual(conversationRoute('lobby', { thread: 1 }));
});

test('what was read elsewhere is news no more', async () => {
  const { server, come } = house();
  come(server.say('一'));
  come(server.add('user:lin', 'read', { conversation: 'lobby', seq: 1 }, { sender: 'lin' }));
  await Promise.resolve();
  expect(FakeNotification.shown[0]?.closed).toBe(true);
});

test('what a person looks at is told', async () => {
  const { at, looks, stop } = house();
  at.value = conversationRoute('lobby');
  await Promise.resolve();
  expect(looks).toEqual([null, 'lobby']);
  stop();
});

test('who has messages pushed is told by the page while it is hidden, and only then', () => {
  push.on = true;
  choose('desktop', false);
  const there = house({ looked: ['c1'] });
  there.come(there.server.say('一'));
  expect(titles()).toEqual([]);
  const { server, come } = house();
  come(server.say('一'));
  expect(titles()).toEqual(['lobby']);
});
