import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventStream } from '../static/transports.js';

const STREAM = ': hello\r\n\r\nid: c1\ndata: {"a":\ndata: 1}\n\nevent: heartbeat\ndata: {}\n\ndata:x\n\n';

function fed(...parts) {
  const got = [];
  const feed = eventStream((message) => got.push(message));
  parts.forEach(feed);
  return got;
}

const WHOLE = [
  { event: 'message', id: 'c1', data: '{"a":\n1}' },
  { event: 'heartbeat', id: 'c1', data: '{}' },
  { event: 'message', id: 'c1', data: 'x' },
];

test('messages of an event stream', () => {
  assert.deepEqual(fed(STREAM), WHOLE);
});

test('a stream may be cut anywhere', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) assert.deepEqual(fed(STREAM.slice(0, cut), STREAM.slice(cut)), WHOLE, `cut at ${cut}`);
  assert.deepEqual(fed(...STREAM), WHOLE);
});

test('an unfinished message is not told', () => {
  assert.deepEqual(fed('data: half\n'), []);
});
