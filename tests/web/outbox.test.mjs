import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Storage } from './document.mjs';
import { Problem, Unreachable } from '../static/api.js';
import { Outbox, uuid7 } from '../static/outbox.js';

const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = (act) => realTimeout(act); // the pauses between tries take no time here

const problem = (code, status = 403) => new Problem({ type: `urn:hongyan:error:${code}`, detail: code }, status, null);

/** A server that answers as it is told, then accepts. */
function server(...answers) {
  const got = [];
  const post = async (entry) => {
    got.push(entry);
    const answer = answers.shift();
    if (answer) throw answer;
    return { seq: got.length };
  };
  return { got, post };
}

async function until(condition) {
  while (!condition()) await new Promise((resolve) => realTimeout(resolve));
}

const outboxOf = (post) => {
  const outbox = new Outbox(post, () => {});
  outbox.restore('lin');
  return outbox;
};
const states = (outbox) => outbox.entries.map(({ status }) => status);

beforeEach(() => {
  globalThis.sessionStorage = new Storage();
});

test('messages go out one at a time, in the order they were written', async () => {
  const { got, post } = server(null, new Unreachable(), null);
  const outbox = outboxOf(post);
  for (const text of ['一', '二', '三']) outbox.add('c1', text);
  await until(() => states(outbox).every((status) => status === 'sent'));
  assert.deepEqual(got.map(({ text }) => text), ['一', '二', '二', '三']);
});

test('one conversation does not wait for another', async () => {
  const got = [];
  const outbox = outboxOf((entry) => (got.push(entry.text), entry.conversation === 'slow' ? new Promise(() => {}) : Promise.resolve({ seq: 1 })));
  outbox.add('slow', '慢');
  outbox.add('c1', '快');
  await until(() => states(outbox)[1] === 'sent');
  assert.deepEqual(got, ['慢', '快']);
});

test('every try of a message has the same client_id', async () => {
  const { got, post } = server(new Unreachable(), problem('internal', 500), problem('overloaded', 503));
  const outbox = outboxOf(post);
  outbox.add('c1', '一');
  await until(() => states(outbox)[0] === 'sent');
  assert.equal(got.length, 4);
  assert.equal(new Set(got.map(({ client_id }) => client_id)).size, 1);
});

test('it fails after its tries, and a person tries again', async () => {
  const { got, post } = server(...Array.from({ length: 4 }, () => new Unreachable()));
  const outbox = outboxOf(post);
  const { client_id } = outbox.add('c1', '一');
  await until(() => states(outbox)[0] === 'failed');
  outbox.retry(client_id);
  await until(() => states(outbox)[0] === 'sent');
  assert.equal(new Set(got.map((entry) => entry.client_id)).size, 1);
});

test('it fails at once when trying again is useless, and a connection does not change that', async () => {
  const { got, post } = server(problem('too-large', 413));
  const outbox = outboxOf(post);
  outbox.add('c1', '长');
  await until(() => states(outbox)[0] === 'failed');
  assert.equal(outbox.entries[0].detail, 'too-large');
  outbox.resume();
  await new Promise((resolve) => realTimeout(resolve, 20));
  assert.equal(got.length, 1);
});

test('when the connection stands again, what failed for want of it goes out', async () => {
  const { post } = server(...Array.from({ length: 4 }, () => new Unreachable()));
  const outbox = outboxOf(post);
  outbox.add('c1', '一');
  await until(() => states(outbox)[0] === 'failed');
  outbox.resume();
  await until(() => states(outbox)[0] === 'sent');
});

test('a token that ended does not lose the message', async () => {
  const { post } = server(...Array.from({ length: 4 }, () => problem('not-authenticated', 401)));
  const outbox = outboxOf(post);
  outbox.add('c1', '一');
  await until(() => states(outbox)[0] === 'failed');
  outbox.resume();
  await until(() => states(outbox)[0] === 'sent');
});

test('a reload of the page sends what had no answer, under its old client_id', async () => {
  const before = outboxOf(() => new Promise(() => {}));
  const { client_id } = before.add('c1', '一');
  const { got, post } = server();
  const outbox = outboxOf(post);
  await until(() => states(outbox)[0] === 'sent');
  assert.deepEqual(got.map((entry) => entry.client_id), [client_id]);
});

test('nobody sends what somebody else wrote', () => {
  outboxOf(() => new Promise(() => {})).add('c1', '一');
  const { got, post } = server();
  const outbox = new Outbox(post, () => {});
  outbox.restore('chen');
  assert.deepEqual(outbox.entries, []);
  assert.deepEqual(got, []);
});

test('what was settled or cleared is not tried again', async () => {
  for (const drop of [(outbox, { client_id }) => outbox.settle(client_id), (outbox) => outbox.clear()]) {
    let fail;
    const got = [];
    const outbox = outboxOf((entry) => (got.push(entry), new Promise((_, reject) => (fail = reject))));
    drop(outbox, outbox.add('c1', '一'));
    fail(new Unreachable());
    await new Promise((resolve) => realTimeout(resolve, 20));
    assert.equal(got.length, 1);
    assert.deepEqual(outbox.entries, []);
  }
});

test('ids are UUIDv7 that grow, also within a millisecond and when the clock goes back', () => {
  const ids = [...Array.from({ length: 2_000 }, () => uuid7(1_700_000_000_000)), uuid7(1_600_000_000_000), uuid7(1_800_000_000_000)];
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
});
