// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';

import type { Outgoing } from '@/app/hongyan';
import { items } from '@/core/groups';
import type { Event, Known, Person } from '@/core/model';
import { nothing } from '@/core/fold';
import { eventAt, newest, saidOf, wordsOf } from '@/ui/message/said';
import { happened } from '@/ui/room/happened';
import { changeOf, countBelow, indexOf, indexOfUnread, readBy, rowsOf, unreadAbove } from '@/ui/room/timeline';
import { words } from '@/words';

await words();

const minute = 60_000;
const day = new Date(2026, 2, 14, 9).getTime();
const message = (seq: number, sender = 'a', time = day + seq * minute): Event => ({
  cursor: `1.${seq}`, conversation: 'c', seq, type: 'message', sender, time, content: { type: 'text', text: `${seq}` },
});
const run = (from: number, to: number): Event[] => Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
const rows = (events: readonly Event[], unread: number | null = null) => rowsOf(items(events, { states: new Map(), unread }), [], false, 'me');

const going = (client_id: string, time: number): Outgoing => ({
  client_id, conversation: 'c', content: { type: 'text', text: 'x' }, shown: { type: 'text', text: 'x' }, time, status: 'sending', detail: null,
});

describe('rows', () => {
  it('end with what is on its way, which goes on with one’s own', () => {
    const made = rowsOf(items([message(1, 'me')], { states: new Map() }), [going('p', day + 2 * minute), going('q', day + 20 * minute)], true, 'me');
    expect(made.map((row) => row.kind)).toEqual(['begin', 'day', 'message', 'outgoing', 'outgoing']);
    expect(made.slice(3).map((row) => row.kind === 'outgoing' && row.first)).toEqual([false, true]);
  });
  it('are found by the places of messages', () => {
    const made = rows([message(3), message(7)], 7);
    expect(made.map((row) => row.kind)).toEqual(['day', 'message', 'unread', 'message']);
    expect(indexOf(made, 3)).toBe(1);
    expect(indexOf(made, 5)).toBe(3);
    expect(indexOf(made, 9)).toBe(-1);
    expect(indexOfUnread(made)).toBe(2);
  });
  it('count messages of others that were not seen', () => {
    const made = rows([message(1), message(2, 'me'), message(3), message(4)]);
    expect(countBelow(made, 1, 'me')).toBe(2);
    expect(countBelow(made, 4, 'me')).toBe(0);
    expect(countBelow(made, 0, 'me')).toBe(3);
  });
});

describe('a change', () => {
  it('is above, below, or another part', () => {
    const before = rows(run(50, 60));
    expect(changeOf(before, before)).toBe('same');
    expect(changeOf([], before)).toBe('below');
    expect(changeOf(before, rows(run(40, 60)))).toBe('above');
    expect(changeOf(before, rows(run(50, 61)))).toBe('below');
    expect(changeOf(before, rows(run(55, 60)))).toBe('above');
    expect(changeOf(before, rows(run(1, 20)))).toBe('other');
    expect(changeOf(before, rows(run(80, 90)))).toBe('other');
    expect(changeOf(before, [])).toBe('other');
    expect(changeOf(before, rows([...run(50, 53), ...run(55, 60)]))).toBe('below');
  });
});

it('knows whether what is unread begins above', () => {
  const counted = { mark: 10, unknown: 0, above: 0, places: [] };
  const room = { events: run(50, 60), hidden: new Set<number>(), older: true, unread: 11, counted: { unread: counted, mentioned: counted } };
  expect(unreadAbove(room, 'me')).toBeNull();
  expect(unreadAbove({ ...room, unread: 30 }, 'me')).toBe(11);
  expect(unreadAbove({ ...room, unread: 30, older: false }, 'me')).toBeNull();
  expect(unreadAbove({ ...room, hidden: new Set([50]) }, 'me')).toBe(11);
});

it('finds an event in a run with gaps', () => {
  const events = [message(2), message(5), message(9)];
  expect(eventAt(events, 5)?.seq).toBe(5);
  expect(eventAt(events, 4)).toBeUndefined();
  expect(eventAt([], 4)).toBeUndefined();
});

it('finds the newest of a kind, first among what lies ahead of the run', () => {
  const pin = { ...message(3), type: 'pin' };
  const is = ({ type }: Event): boolean => type === 'pin';
  expect(newest({ events: [pin, message(4)], ahead: [{ ...pin, seq: 9 }, message(10)] }, is)).toBe(9);
  expect(newest({ events: [pin, message(4)], ahead: [] }, is)).toBe(3);
  expect(newest(undefined, is)).toBe(0);
});

describe('what is said', () => {
  it('is what it says now, and the same as long as nothing changes', () => {
    const event = message(1);
    expect(saidOf(event, undefined)).toBe(saidOf(event, null));
    const edited = saidOf(event, { seq: 1, at: 2, text: '新', mentions: ['b'] });
    expect(edited.content).toEqual({ type: 'text', text: '新', mentions: ['b'] });
    expect(edited.mentions).toEqual(['b']);
    expect(saidOf(event, { seq: 1, at: 3, recalled: { user: 'a', time: 1 } }).content.type).toBe('recalled');
    expect(saidOf({ ...event, content: { type: 'later' } }, null).content.type).toBe('unknown');
  });
  it('is copied in words', () => {
    expect(wordsOf({ type: 'poll', question: '吃什么', options: ['面', '饭'] })).toBe('吃什么\n1. 面\n2. 饭');
    const item = { sender: 'a', name: '李华', time: 1, content: { type: 'text', text: '好' } } as const;
    expect(wordsOf({ type: 'forward', title: null, items: [item], text: '看' })).toBe('看\n李华: 好');
    expect(wordsOf({ type: 'recalled' })).toBe('');
  });
});

it('counts readers by every mark that is known, of those who may read it', () => {
  const asked = new Map([['a', { user: 'a', seq: 5, first_seq: 1 }], ['d', { user: 'd', seq: 9, first_seq: 6 }]]);
  const told = new Map([['a', 1], ['b', 9], ['c', 4]]);
  expect(readBy(5, ['a', 'b', 'c', 'd'], asked, told)).toEqual({ read: 2, all: 3 });
  expect(readBy(6, ['a', 'b', 'c', 'd'], asked, told)).toEqual({ read: 2, all: 4 });
  expect(readBy(5, [], new Map(), new Map())).toEqual({ read: 0, all: 0 });
});

describe('what has happened', () => {
  const known: Known = { ...nothing, me: { id: 'me', name: '我', admin: false }, names: new Map([['a', '李华'], ['b', '王芳']]) };
  const say = (key: string, put: Readonly<Record<string, string | number>> = {}): string =>
    key === 'room.you' ? 'you' : key === 'room.comma' ? ', ' : `${put['who'] ?? ''}${put['who'] ? ' ' : ''}${key.slice(5)} ${put['whom'] ?? put['title'] ?? ''}${put['why'] ? ` ${put['why']}` : ''}`.trim();
  const event = (type: string, content: object, sender: string | null = 'a'): Event => ({ ...message(1), type, content, sender });
  const people = (...ids: string[]): Person[] => ids.map((id) => ({ id, name: '' }));

  it('is told', () => {
    expect(happened(event('create', { kind: 'group', title: '项目' }), known, say)).toBe('李华 made 项目');
    expect(happened(event('member', { action: 'add', users: people('b', 'me') }), known, say)).toBe('李华 added 王芳, you');
    expect(happened(event('member', { action: 'add', users: people('a') }), known, say)).toBe('joined 李华');
    expect(happened(event('member', { action: 'leave', users: people('b'), owner: 'me' }), known, say)).toBe('left 王芳, now_owner you');
    expect(happened(event('member', { action: 'role', users: [{ id: 'b', name: '', role: 'admin' }] }), known, say)).toBe('now_admin 王芳');
    expect(happened(event('settings', { title: '新', writers: 'admins' }, 'me'), known, say)).toBe('You set_title 新, you set_admins');
    expect(happened(event('pin', { seq: 1 }), known, say)).toBe('李华 pinned_by');
    expect(happened(event('undelivered', { seq: 1, user: 'b', reason: 'remote-server-timeout' }), known, say)).toBe('undelivered 王芳 why_silent');
    expect(happened(event('undelivered', { seq: 1, user: 'b', reason: 'made-up' }), known, say)).toBe('undelivered 王芳 why_refused');
    expect(happened(event('react', { seq: 1 }), known, say)).toBe('');
  });
});
