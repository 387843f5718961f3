// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { shallowRef } from 'vue';

import type { Hongyan, Session } from '@/app/hongyan';
import { foldSignal, withOnline } from '@/core/fold';
import { allMembers, peopleThere } from '@/ui/people/people';

import { start } from '../core/some';

const session = shallowRef<Session | null>({ user: 'lin', name: '林', token: 'T', token_id: 'i', device: 'test' });
const asked: string[] = [];
let up = true;
const get = async (path: string): Promise<unknown> => {
  asked.push(path);
  if (!up) throw new Error('no network');
  const after = /after=(\w+)/.exec(path)?.[1];
  return { members: [{ id: after ? 'b' : 'a', name: '', role: 'member' }], more: !after };
};
const hongyan = { session, api: { get } } as unknown as Hongyan;
const room = { id: 'c', members: null, member_count: 200 };
const ids = async (...given: Parameters<typeof allMembers>): Promise<string> => (await allMembers(...given)).map(({ id }) => id).join('');

test('the members of a large conversation are asked for once for all who want them, and again when there is reason', async () => {
  expect(await Promise.all([ids(hongyan, room), ids(hongyan, room)])).toEqual(['ab', 'ab']);
  expect(asked).toEqual(['v1/conversations/c/members?limit=1000', 'v1/conversations/c/members?limit=1000&after=a']);
  expect(await ids(hongyan, { ...room, member_count: 201 })).toBe('ab');
  expect(await ids(hongyan, { ...room, member_count: 201 }, true)).toBe('ab');
  expect(asked.length).toBe(6);
  session.value = { ...session.value!, user: 'chen' };
  up = false;
  await expect(allMembers(hongyan, room)).rejects.toThrow('no network');
  up = true;
  expect(await ids(hongyan, room)).toBe('ab');
  expect(await ids(hongyan, { ...room, members: [{ id: 'z', name: '', role: 'owner' }] })).toBe('z');
});

test('who is there is known from what comes, not from the moment of asking', () => {
  const first = withOnline(start(), [{ id: 'bob', name: 'Bob', status: 'online' }, { id: 'ann', name: 'Ann', status: 'busy' }]);
  expect(peopleThere(first).map(({ name }) => name)).toEqual(['Ann', 'Bob']);
  const now = foldSignal(foldSignal(first, { type: 'presence', user: 'bob', status: 'offline' }, 0), { type: 'presence', user: 'chen', status: 'away' }, 0);
  expect(peopleThere(now).map(({ id }) => id)).toEqual(['ann', 'chen']);
});
