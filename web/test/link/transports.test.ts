import { expect, test } from 'vitest';

import { eventStream, type StreamMessage } from '@/link/transports';

const STREAM = ': hello\r\n\r\nid: c1\ndata: {"a":\ndata: 1}\n\nevent: heartbeat\ndata: {}\n\ndata:x\n\n';
const WHOLE = [
  { event: 'message', id: 'c1', data: '{"a":\n1}' },
  { event: 'heartbeat', id: 'c1', data: '{}' },
  { event: 'message', id: 'c1', data: 'x' },
];

function fed(...parts: string[]): StreamMessage[] {
  const got: StreamMessage[] = [];
  const feed = eventStream((message) => got.push(message));
  parts.forEach(feed);
  return got;
}

test('messages of an event stream', () => {
  expect(fed(STREAM)).toEqual(WHOLE);
});

test('a stream may be cut anywhere', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) expect(fed(STREAM.slice(0, cut), STREAM.slice(cut)), `cut at ${cut}`).toEqual(WHOLE);
  expect(fed(...STREAM)).toEqual(WHOLE);
});

test('an unfinished message is not told', () => {
  expect(fed('data: half\n')).toEqual([]);
});
