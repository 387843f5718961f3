// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Tabs } from '@/link/tabs';

import { FakeChannel, hide, settle, shareTabs, withoutTabs } from './browser';

const open: Tabs<string>[] = [];

function tab() {
  const heard: string[] = [];
  const told: string[] = [];
  const tabs = new Tabs<string>('t', {
    lead: () => told.push('lead'),
    follow: () => told.push('follow'),
    led: () => told.push('led'),
    hear: (message) => heard.push(message),
    looked: () => {},
  });
  open.push(tabs);
  tabs.join();
  return { tabs, heard, told };
}

beforeEach(() => {
  vi.useFakeTimers();
  shareTabs();
});

afterEach(() => {
  for (const tabs of open.splice(0)) tabs.close();
  hide(false);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('one tab leads; when it closes another one does', async () => {
  const [one, two, three] = [tab(), tab(), tab()];
  await settle();
  expect([one, two, three].map(({ tabs }) => tabs.leads)).toEqual([true, false, false]);
  one.tabs.close();
  await settle();
  expect([two, three].map(({ tabs }) => tabs.leads)).toEqual([true, false]);
  expect(three.told).toContain('led');
});

test('what one says all others hear', async () => {
  const [one, two, three] = [tab(), tab(), tab()];
  two.tabs.say('hi');
  await settle();
  expect([one.heard, two.heard, three.heard]).toEqual([['hi'], [], ['hi']]);
});

test('a leader that answers keeps the lead', async () => {
  const [one, two] = [tab(), tab()];
  await vi.advanceTimersByTimeAsync(10_000);
  hide(true);
  hide(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([one, two].map(({ tabs }) => tabs.leads)).toEqual([true, false]);
});

test('a frozen leader loses the lead to a tab that is looked at, and follows when it thaws', async () => {
  const one = tab();
  await settle();
  const post = vi.spyOn(FakeChannel.prototype, 'postMessage').mockImplementation(() => {}); // frozen: nothing is said
  const two = tab();
  await vi.advanceTimersByTimeAsync(4_000);
  post.mockRestore();
  await settle();
  expect([one, two].map(({ tabs }) => tabs.leads)).toEqual([false, true]);
  expect(one.told).toEqual(['lead', 'follow']);
  two.tabs.close();
  await settle();
  expect(one.tabs.leads).toBe(true);
});

test('each knows what is looked at in the others', async () => {
  const [one, two] = [tab(), tab()];
  two.tabs.look('lobby');
  await settle();
  expect([one.tabs.looked('lobby'), one.tabs.looked('c1'), one.tabs.looked()]).toEqual([true, false, true]);
  hide(true);
  await settle();
  expect([one.tabs.looked('lobby'), one.tabs.looked()]).toEqual([false, false]);
});

test('where tabs cannot know of each other every one leads', () => {
  withoutTabs();
  expect([tab(), tab()].map(({ tabs }) => tabs.leads)).toEqual([true, true]);
});

test('a tab that crashes is looked at no more, though it said nothing', async () => {
  const [one, two] = [tab(), tab()];
  await settle();
  two.tabs.look('lobby');
  await settle();
  expect(one.tabs.looked('lobby')).toBe(true);
  const post = vi.spyOn(FakeChannel.prototype, 'postMessage').mockImplementation(() => {});
  two.tabs.close();
  post.mockRestore();
  await settle();
  expect([one.tabs.looked('lobby'), one.tabs.looked()]).toEqual([false, true]);
});
