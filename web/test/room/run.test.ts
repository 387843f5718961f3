// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { computed, createApp, effectScope, nextTick, shallowRef } from 'vue';

import { hongyanKey, type Hongyan, type Outgoing } from '@/app/hongyan';
import { foldSignal, withPage } from '@/core/fold';
import type { Known } from '@/core/model';
import { useRun } from '@/ui/room/run';

import { after, conversation, event, message, old, page, start } from '../core/some';

const known = shallowRef<Known>(withPage(start(conversation(), conversation('c2')), 'c1', page([old(1), old(2), old(3)]), 'newest'));
const outgoing = shallowRef<readonly Outgoing[]>([]);
const hongyan = { known, outgoing, load: async () => {} } as unknown as Hongyan;

test('the rows are made anew for what is drawn in them, and for nothing else', async () => {
  const app = createApp({}).provide(hongyanKey, hongyan);
  const room = computed(() => known.value.rooms.get('c1'));
  const run = app.runWithContext(() => effectScope().run(() => useRun('c1', room, shallowRef(false)))!);
  await run.start(undefined);
  const changes = async (by: (known: Known) => Known): Promise<boolean> => {
    const before = run.rows.value;
    known.value = by(known.value);
    await nextTick();
    return run.rows.value !== before;
  };
  expect(await changes((now) => foldSignal(now, { type: 'presence', user: 'chen', status: 'busy' }, 0))).toBe(false);
  expect(await changes((now) => foldSignal(now, { type: 'read', conversation: 'c1', user: 'chen', seq: 3 }, 0))).toBe(false);
  expect(await changes((now) => after(now, { ...message(4), conversation: 'c2' }))).toBe(false);
  expect(await changes((now) => after(now, message(4)))).toBe(true);
  expect(await changes((now) => after(now, event(5, 'react', 'chen', { seq: 2, emoji: '👍' })))).toBe(true);
});
