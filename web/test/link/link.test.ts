// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { LinkView } from '@/app/hongyan';
import type { Event, Snapshot } from '@/core/model';
import { Api } from '@/link/api';
import { Link } from '@/link/link';

import { hide } from './browser';
import { FakeServer, problem } from './server';

let server: FakeServer;
let link: Link;
let events: Event[];
let snapshots: Snapshot[];
let views: LinkView[];
let logins: number;
let opened: number;

const later = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
const texts = (): string[] => events.map(({ content }) => content.text);
const at = (): string => `${link.view.transport} ${link.view.phase}`;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  server = new FakeServer().install();
  const api = new Api(new URL('http://server.test/'));
  api.token = 'T';
  [events, snapshots, views, logins, opened] = [[], [], [], 0, 0];
  link = new Link(api, null, {
    take: (batch) => events.push(...batch.events),
    snapshot: (snapshot) => snapshots.push(snapshot),
    login: () => (logins += 1),
    opened: () => (opened += 1),
    changed: (view) => views.push(view),
  });
});

afterEach(() => {
  link.stop();
  hide(false);
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('it starts on a WebSocket, from its cursor', async () => {
  server.say('一');
  link.start('e.0');
  await later(0);
  expect(at()).toBe('ws open');
  server.say('二');
  await later(0);
  expect(texts()).toEqual(['一', '二']);
  expect(views.map(({ phase }) => phase)).toContain('connecting');
});

test('without a cursor there is a snapshot first', async () => {
  server.say('一');
  link.start(null);
  await later(2_000);
  server.say('二');
  await later(0);
  expect(snapshots.map(({ cursor }) => cursor)).toEqual(['e.1']);
  expect(texts()).toEqual(['二']);
});

test.each(['sse', 'long', 'short'] as const)('%s gives every event once, also over a break', async (transport) => {
  link.force(transport);
  link.start('e.0');
  await later(0);
  expect(at()).toBe(`${transport} open`);
  server.say('一');
  await later(3_000);
  server.breakOff();
  server.up = false;
  await later(3_000);
  server.say('二');
  server.up = true;
  for (const wake of server.waiting) wake();
  await later(70_000);
  server.say('三');
  await later(3_000);
  expect(texts()).toEqual(['一', '二', '三']);
});

test('what a switch interrupts is given by the next transport, once', async () => {
  link.start('e.0');
  for (const [n, transport] of (['sse', 'long', 'short', 'ws', null] as const).entries()) {
    await later(0);
    server.say(String(n));
    link.force(transport);
    await later(100);
  }
  await later(5_000);
  expect(texts()).toEqual(['0', '1', '2', '3', '4']);
  expect(link.view.forced).toBe(null);
});

test('a server that is down is waited for, longer and longer, on the same transport', async () => {
  server.up = false;
  link.start('e.0');
  await later(120_000);
  expect(at()).toBe('ws waiting');
  const tries = server.asked.length;
  expect(tries).toBeLessThan(14);
  expect(link.view.until).toBeGreaterThan(Date.now() - 1);
  server.up = true;
  link.retryNow();
  await later(0);
  expect(at()).toBe('ws open');
});

test('a transport that does not get through is left for the next, though not when it is forced', async () => {
  server.cut.add('ws').add('sse');
  link.start('e.0');
  await later(5_000);
  expect(at()).toBe('long open');
  link.force('ws');
  await later(60_000);
  expect(at()).toBe('ws waiting');
});

test('a transport that is let hang is left for the next', async () => {
  vi.stubGlobal('WebSocket', class { close() {} });
  link.start('e.0');
  await later(9_000);
  expect(at()).toBe('sse open');
});

test('a better transport is taken again when it gets through', async () => {
  server.cut.add('ws').add('sse');
  link.start('e.0');
  await later(5_000);
  server.cut.clear();
  await later(61_000);
  expect(at()).toBe('ws open');
  server.say('一');
  await later(0);
  expect(texts()).toEqual(['一']);
  expect(server.sockets.size).toBe(1);
});

test('a transport that keeps breaking is left, one that broke once is not', async () => {
  link.start('e.0');
  await later(0);
  server.breakOff();
  await later(1_000);
  expect(at()).toBe('ws open');
  for (let n = 0; n < 3; n += 1) {
    server.breakOff();
    await later(20_000);
  }
  expect(at()).toBe('sse open');
});

test('resume: at once, from the cursor', async () => {
  link.start('e.0');
  await later(0);
  server.verdict({ do: 'resume' });
  await later(0);
  expect(at()).toBe('ws open');
  expect(opened).toBe(2);
});

test('later: not before the time that is named', async () => {
  link.start('e.0');
  await later(0);
  server.verdict({ do: 'later', after: 7 });
  await later(6_900);
  expect(at()).toBe('ws waiting');
  await later(2_000);
  expect(at()).toBe('ws open');
});

test('stop: until a person tries again', async () => {
  link.start('e.0');
  await later(0);
  server.verdict({ do: 'stop' });
  await later(100_000);
  expect(at()).toBe('ws stopped');
  link.retryNow();
  await later(0);
  expect(at()).toBe('ws open');
});

test('login: by a verdict, by a refused token, by a refused request', async () => {
  link.start('e.0');
  await later(0);
  server.verdict({ do: 'login' });
  await later(0);
  expect(logins).toBe(1);
  server.answers.set('GET /v1/events', () => problem('not-authenticated', 401));
  link.force('long');
  link.start('e.0');
  await later(0);
  expect(logins).toBe(2);
});

test('a server that refuses connections for now is asked when it said', async () => {
  server.answers.set('GET /v1/events', () => problem('overloaded', 503, 5));
  link.force('long');
  link.start('e.0');
  await later(4_900);
  expect(server.asked.length).toBe(1);
  server.answers.clear();
  await later(2_000);
  expect(at()).toBe('long open');
});

test('limited: everything anew from a snapshot', async () => {
  link.start('e.0');
  await later(3_000);
  server.epoch = 'f';
  server.breakOff();
  await later(3_000);
  expect(snapshots.map(({ cursor }) => cursor)).toEqual(['f.0']);
  server.say('一');
  await later(0);
  expect(texts()).toEqual(['一']);
});

test('a server that says no to every cursor is not asked without end', async () => {
  link.start('other.0');
  server.after = () => ({ events: [], cursor: 'x.1', limited: true });
  await later(20_000);
  expect(snapshots.length).toBeLessThan(12);
});

test('a cursor that is none leads to a snapshot', async () => {
  server.answers.set('GET /v1/events', (url) => (url.searchParams.get('after') === 'nonsense' ? problem('invalid-cursor', 400) : { events: [], cursor: 'e.0', more: false }));
  link.force('short');
  link.start('nonsense');
  await later(3_000);
  expect(at()).toBe('short open');
  expect(snapshots.length).toBe(1);
});

test('a silent connection is not trusted', async () => {
  link.start('e.0');
  await later(0);
  server.sockets.clear();
  server.say('一');
  await later(42_000);
  expect(texts()).toEqual(['一']);
});

test('the network that comes back, and a person who looks, are reasons to try', async () => {
  server.up = false;
  link.start('e.0');
  await later(60_000);
  server.up = true;
  dispatchEvent(new Event('online'));
  await later(0);
  expect(at()).toBe('ws open');
  server.up = false;
  server.breakOff();
  await later(60_000);
  expect(at()).toBe('ws waiting');
  server.up = true;
  hide(true);
  hide(false);
  await later(0);
  expect(at()).toBe('ws open');
  dispatchEvent(new Event('offline'));
  expect(link.view.online).toBe(false);
});

test('an error that answers nothing leaves the connection, and what comes after it, as they are', async () => {
  link.start(server.cursor);
  await later(0);
  for (const socket of server.sockets) socket.give({ op: 'error', ref: null, type: 'urn:hongyan:error:forbidden', detail: 'no' });
  await later(5_000);
  server.breakOff();
  await later(5_000);
  expect(at()).toBe('ws open');
});
