// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Outgoing } from '@/app/hongyan';
import { Problem, Unreachable } from '@/link/api';
import { Outbox } from '@/link/outbox';

import { elsewhere } from './browser';

const refused = (code: string, status: number): Problem => new Problem(status, { type: `urn:hongyan:error:${code}`, detail: code });
const text = (entry: Outgoing): string => (entry.content.type === 'text' ? entry.content.text : '');

/** A server that answers as it is told, then accepts. */
function server(...answers: (Error | null)[]) {
  const got: Outgoing[] = [];
  const post = async (entry: Outgoing): Promise<{ position: number }> => {
    got.push(entry);
    const answer = answers.shift();
    if (answer) throw answer;
    return { position: got.length };
  };
  return { got, post };
}

const open: Outbox[] = [];

function outboxOf(post: (entry: Outgoing) => Promise<{ position: number }>, { leads = true, user = 'lin' } = {}) {
  const seen = { all: [] as readonly Outgoing[] };
  const outbox = new Outbox(user, post, (all) => (seen.all = all));
  open.push(outbox);
  outbox.lead(leads);
  const add = (said: string, conversation = 'c1'): Outgoing => outbox.add(conversation, { type: 'text', text: said }, { type: 'text', text: said });
  return { outbox, add, shown: () => seen.all, states: () => seen.all.map(({ status }) => status) };
}

const later = (milliseconds = 60_000): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
const never = (): Promise<never> => new Promise(() => {});

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

afterEach(() => {
  for (const outbox of open.splice(0)) outbox.close();
  vi.useRealTimers();
});

test('messages go out one at a time, in the order they were written', async () => {
  const { got, post } = server(null, new Unreachable(), null);
  const { add } = outboxOf(post);
  for (const said of ['一', '二', '三']) add(said);
  await later();
  expect(got.map(text)).toEqual(['一', '二', '二', '三']);
});

test('one conversation does not wait for another', async () => {
  const got: string[] = [];
  const { add } = outboxOf((entry) => (got.push(text(entry)), entry.conversation === 'slow' ? never() : Promise.resolve({ position: 1 })));
  add('慢', 'slow');
  add('快');
  await later(0);
  expect(got).toEqual(['慢', '快']);
});

test('while there is no way out a message waits, under one client_id, and goes when the connection stands', async () => {
  const { got, post } = server(...Array.from({ length: 30 }, () => new Unreachable()), refused('internal', 500), refused('overloaded', 503));
  const { outbox, add, states } = outboxOf(post);
  add('一');
  await later(300_000);
  expect(states()).toEqual(['waiting']);
  const tries = got.length;
  for (let n = 0; n < 40; n += 1) {
    outbox.resume();
    await later(0);
  }
  expect(got.length).toBeGreaterThan(tries);
  expect(got.length).toBe(33);
  expect(new Set(got.map(({ client_id }) => client_id)).size).toBe(1);
});

test('what is hopeless fails with the reason, those behind it go on, and a person sends it again or not', async () => {
  const { got, post } = server(refused('too-large', 413), null);
  const { outbox, add, shown, states } = outboxOf(post);
  const { client_id } = add('长');
  add('短');
  await later(0);
  expect(shown()[0]).toMatchObject({ status: 'failed', detail: 'too-large' });
  expect(got.map(text)).toEqual(['长', '短']);
  outbox.resume();
  await later();
  expect(got.length).toBe(2);
  outbox.resend(client_id);
  await later(0);
  expect(got.map(text)).toEqual(['长', '短', '长']);
  outbox.discard(client_id);
  expect(states().length).toBe(1);
});

test('a token that ended does not lose the message', async () => {
  const { add, states } = outboxOf(server(...Array.from({ length: 9 }, () => refused('not-authenticated', 401))).post);
  add('一');
  await later(2_000);
  expect(states()).toEqual(['waiting']);
});

test('the time that the server names is waited for', async () => {
  const { got, post } = server(new Problem(429, { type: 'urn:hongyan:error:rate-limited', retry_after: 7 }));
  outboxOf(post).add('一');
  await later(6_900);
  expect(got.length).toBe(1);
  await later(200);
  expect(got.length).toBe(2);
});

test('after a reload what had no answer is sent, under its old client_id, and what had one is not', async () => {
  const before = outboxOf((entry) => (text(entry) === '一' ? Promise.resolve({ position: 5 }) : never()));
  before.add('一');
  const { client_id } = before.add('二');
  await later(0);
  before.outbox.close();
  const { got, post } = server();
  const { states, outbox } = outboxOf(post);
  await later(0);
  expect(got.map((entry) => entry.client_id)).toEqual([client_id]);
  expect(states().length).toBe(2);
  outbox.settle([], 5);
  expect(states()).toEqual([]);
  expect(localStorage.length).toBe(0);
});

test('what failed stays failed after a reload', async () => {
  outboxOf(server(refused('forbidden', 403)).post).add('一');
  await later(0);
  const { got, post } = server();
  expect(outboxOf(post).shown()[0]).toMatchObject({ status: 'failed', detail: 'forbidden' });
  await later();
  expect(got).toEqual([]);
});

test.each(['chen', 'li', 'lin.w'])('nobody sends what somebody else wrote: %s', async (user) => {
  outboxOf(never, { user: 'lin' }).add('一');
  outboxOf(never, { user: 'li.wei' }).add('二');
  const { got, post } = server();
  const { states } = outboxOf(post, { user });
  await later();
  expect([...states(), ...got]).toEqual([]);
});

test('only the tab that leads sends, also what another one wrote', async () => {
  const writer = server();
  const leader = server();
  const follower = outboxOf(writer.post, { leads: false });
  const leading = outboxOf(leader.post);
  const { client_id } = follower.add('一');
  const key = `hongyan.out.lin:${client_id}`;
  elsewhere(key, localStorage.getItem(key));
  await later(0);
  expect(writer.got).toEqual([]);
  expect(leader.got.map((entry) => entry.client_id)).toEqual([client_id]);
  leading.outbox.settle([client_id], 0);
  elsewhere(key, null);
  expect(follower.states()).toEqual([]);
});

test('who takes the lead sends what is there, once', async () => {
  const { got, post } = server();
  const { outbox, add } = outboxOf(post, { leads: false });
  add('一');
  await later();
  expect(got).toEqual([]);
  outbox.lead(true);
  outbox.lead(true);
  await later();
  expect(got.length).toBe(1);
});

test('what has arrived or was discarded is not tried again', async () => {
  for (const drop of [(outbox: Outbox, id: string) => outbox.settle([id], 0), (outbox: Outbox, id: string) => outbox.discard(id)]) {
    let fail = (_: Error): void => {};
    const got: Outgoing[] = [];
    const { outbox, add, states } = outboxOf((entry) => (got.push(entry), new Promise((_, reject) => (fail = reject))));
    drop(outbox, add('一').client_id);
    fail(new Unreachable());
    await later();
    expect(got.length).toBe(1);
    expect(states()).toEqual([]);
  }
});

test.each([true, false])('a full storage does not stop a message, of the tab that leads: %s', async (leads) => {
  const { got, post } = server(new Unreachable());
  const { add } = outboxOf(post, { leads });
  const full = vi.spyOn(localStorage, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  add('一');
  await later();
  full.mockRestore();
  expect(got.length).toBe(2);
});

test('what is kept and is no message is thrown away', () => {
  localStorage.setItem('hongyan.out.lin:x', '{');
  localStorage.setItem('hongyan.out.lin:y', '{"client_id":1}');
  expect(outboxOf(never).states()).toEqual([]);
});
