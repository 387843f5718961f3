// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { shallowRef } from 'vue';

import type { Hongyan } from '@/app/hongyan';
import type { Known, OwnAct } from '@/core/model';
import { ordered } from '@/core/order';
import { ownShown } from '@/core/shown';
import { arrange, movePin } from '@/ui/list/acts';

import { after, conversation, own, start } from '../core/some';

const known = shallowRef<Known>(
  after(
    start(conversation('c1'), conversation('c2'), conversation('c3'), conversation('c4')),
    ...['c1', 'c2', 'c3'].map((id) => own('arrange', { conversation: id, pinned: true })),
  ),
);
let told: OwnAct[] = [];
const hongyan = {
  known,
  async own(act: OwnAct) {
    told.push(act);
    known.value = ownShown(known.value, act, 0);
  },
} as unknown as Hongyan;

const ids = (): string => ordered(known.value).pinned.map(({ id }) => id).join(' ');
async function moved(id: string, to: number): Promise<number> {
  told = [];
  await movePin(hongyan, id, to);
  return told.length;
}

test('pins stand as they were put, and a new one on top', async () => {
  expect(ids()).toBe('c1 c2 c3');
  expect(await moved('c3', 0)).toBe(3);
  expect(ids()).toBe('c3 c1 c2');
  expect(await moved('c3', 1)).toBe(2); // the third stays where it is
  expect(ids()).toBe('c1 c3 c2');
  expect(await moved('c4', 0)).toBe(0); // no pin
  expect(await moved('c1', -1)).toBe(0);
  await arrange(hongyan, known.value.rooms.get('c4')!, { pinned: true });
  expect(ids()).toBe('c4 c1 c3 c2');
});

test('what else is arranged keeps the place, and taking the pin away ends it', async () => {
  const c2 = known.value.rooms.get('c2')!;
  await arrange(hongyan, c2, { archived: true });
  expect(known.value.rooms.get('c2')!.own).toEqual({ pinned: true, archived: true, place: 2 });
  await arrange(hongyan, c2, { pinned: false });
  expect(known.value.rooms.get('c2')!.own).toEqual({});
});
