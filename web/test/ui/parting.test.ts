// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shallowRef } from 'vue';

import type { Hongyan, Session } from '@/app/hongyan';
import { open, route } from '@/app/router';
import { confirm, question } from '@/ui/base/confirm';
import { menu, openMenu } from '@/ui/base/menu';
import { finish, toasts, useToasts } from '@/ui/base/toasts';
import { making } from '@/ui/details/making';
import { details } from '@/ui/details/open';
import { leaveHere } from '@/ui/frame/me';
import { finding, showingKeys } from '@/ui/goto/open';
import { usePicking } from '@/ui/message/picking';
import { parting } from '@/ui/parting';
import { card } from '@/ui/people/card';
import { settingStatus } from '@/ui/settings/open';

const lin: Session = { user: 'lin', name: '林', token: 'T', token_id: 'i', device: 'test' };
const session = shallowRef<Session | null>(null);
let end = (): void => {};

beforeEach(() => {
  vi.useFakeTimers();
  session.value = lin;
  end = parting({ session });
});

afterEach(() => {
  end();
  void finish();
  vi.useRealTimers();
});

test.each([null, { ...lin, user: 'chen', token: 'C' }])('nothing that was open stays for the next person: %s', async (next) => {
  open('lobby');
  details.value = finding.value = showingKeys.value = settingStatus.value = true;
  making.value = 'group';
  card.value = { user: 'bob', anchor: { x: 0, y: 0 } };
  usePicking().value = { seq: 1, anchor: { x: 0, y: 0 }, pick: () => {} };
  openMenu({ x: 0, y: 0 }, []);
  const answer = confirm({ title: '退出这个群？', act: '退出' });
  session.value = next;
  expect([details, finding, showingKeys, settingStatus, making, card, usePicking(), menu, question].filter(({ value }) => value)).toEqual([]);
  expect(await answer).toBe(false);
  expect(route.value.page).toBe('home');
});

test('what is not done yet, and what could be taken back, is not done by the next person', async () => {
  const done: string[] = [];
  useToasts().later('已退出', () => done.push('left'));
  useToasts().undo('已归档', () => done.push('back'));
  session.value = null;
  expect(toasts.value).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toEqual([]);
});

test.each([true, false])('what one has done is told before one logs out, if it can be told: %s', async (reachable) => {
  const told: string[] = [];
  const logout = async (): Promise<boolean> => (told.push('logout'), (session.value = null), true);
  useToasts().later('已退出', () => (reachable ? new Promise<void>((told_) => setTimeout(() => (told.push('left'), told_()), 500)) : new Promise(() => {})));
  const left = leaveHere({ outgoing: shallowRef([]), logout } as unknown as Hongyan);
  question.value?.answer(true);
  await vi.advanceTimersByTimeAsync(5_000);
  await left;
  expect(told).toEqual(reachable ? ['left', 'logout'] : ['logout']);
});
