// @vitest-environment happy-dom
import { expect, test } from 'vitest';

import { movePin, pins } from '@/ui/list/pins';

import { after, conversation, own, start } from '../core/some';

const known = after(
  start(conversation('c1'), conversation('c2'), conversation('c3'), conversation('c4')),
  ...['c1', 'c2', 'c3'].map((id) => own('arrange', { conversation: id, pinned: true })),
);
const ids = (): string => pins(known).map(({ id }) => id).join(' ');

test('pins stand as they were put, and a new one on top', () => {
  expect(ids()).toBe('c1 c2 c3');
  movePin(known, 'c3', 0);
  expect(ids()).toBe('c3 c1 c2');
  movePin(known, 'c3', 1);
  expect(ids()).toBe('c1 c3 c2');
  movePin(known, 'c4', 0); // no pin
  movePin(known, 'c1', -1);
  expect(ids()).toBe('c1 c3 c2');
  expect(pins(after(known, own('arrange', { conversation: 'c4', pinned: true })))[0]?.id).toBe('c4');
});

test('somebody else has an order of their own', () => {
  expect(pins({ ...known, me: { ...known.me!, id: 'chen' } }).map(({ id }) => id)).toEqual(['c1', 'c2', 'c3']);
});
