import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as state from '../static/state.js';

const LIN = { id: 'lin', name: '林清和', role: 'owner' };
const CHEN = { id: 'chen', name: '陈思远', role: 'member' };

function conversation(id = 'c1', by = {}) {
  return { id, kind: 'group', title: '项目', history: 'all', role: 'owner', first_seq: 1, head_seq: 3, read_seq: 3, unread: 0, last: null, member_count: 2, members: [LIN, CHEN], ...by };
}

const start = (...conversations) => state.fromSnapshot(state.nothing, { cursor: 'x', user: { id: 'lin', name: '林清和', admin: false }, conversations });
const event = (seq, type, sender, content, lane = 'c1') => ({ cursor: `x${seq}`, conversation: lane, seq, type, sender, time: seq * 1000, content });
const message = (seq, sender = 'chen', text = `第 ${seq} 条`) => event(seq, 'message', sender, { type: 'text', text });
const after = (first, ...events) => events.reduce(state.fold, first);
const one = (now, id = 'c1') => now.conversations.get(id);

test('a message is shown, counted and named as the last one', () => {
  const now = after(start(conversation()), message(4), message(5, 'lin'));
  assert.deepEqual(one(now).events.map(({ seq }) => seq), [4, 5]);
  assert.equal(one(now).unread, 1);
  assert.equal(one(now).last.seq, 5);
});

test('the same event again changes nothing', () => {
  const now = after(start(conversation()), message(4));
  assert.equal(state.fold(now, message(4)), now);
});

test('what the snapshot contains is not counted again', () => {
  const now = start(conversation());
  assert.equal(state.fold(now, message(3)), now);
});

test('a hole is asked about, not shown', () => {
  const now = after(start(conversation()), message(4), message(6));
  assert.ok(now.wanted.has('c1'));
  assert.deepEqual(one(now).events, []);
  assert.equal(one(now).loaded, false);
});

test('an event of an unknown conversation asks for it', () => {
  const now = after(start(), event(7, 'member', 'chen', { action: 'add', users: [LIN] }));
  assert.ok(now.wanted.has('c1'));
  assert.ok(!state.withConversation(now, conversation('c1', { head_seq: 7 })).wanted.has('c1'));
});

test('an answer that an event has overtaken is asked for again', () => {
  const asked = after(start(), message(7), message(8));
  const now = state.withConversation(asked, conversation('c1', { head_seq: 7 }));
  assert.ok(now.wanted.has('c1'));
  assert.equal(one(state.withConversation(now, conversation('c1', { head_seq: 8 }))).head_seq, 8);
});

test('an older answer does not undo what came since', () => {
  const now = after(start(conversation()), message(4));
  assert.equal(one(state.withConversation(now, conversation())).head_seq, 4);
});

test('a new conversation comes whole with its first event', () => {
  const now = after(start(), event(1, 'create', 'chen', { kind: 'group', title: '新', history: 'all', members: [LIN, CHEN] }));
  assert.equal(one(now).title, '新');
  assert.equal(one(now).role, 'owner');
  assert.equal(now.wanted.size, 0);
});

test('pages of history join without doubles', () => {
  const live = after(start(conversation()), message(4));
  const newest = state.withHistory(live, 'c1', { events: [message(3), message(4)], more: true });
  const all = state.withHistory(newest, 'c1', { events: [message(1), message(2), message(3)], more: false });
  assert.deepEqual(one(all).events.map(({ seq }) => seq), [1, 2, 3, 4]);
  assert.equal(one(all).older, false);
});

test('history may bring an event before the stream does', () => {
  const now = after(state.withHistory(start(conversation()), 'c1', { events: [message(3), message(4)], more: false }), message(4));
  assert.deepEqual(one(now).events.map(({ seq }) => seq), [3, 4]);
  assert.equal(one(now).head_seq, 4);
});

test('a read mark of another device lowers the count and never goes back', () => {
  const read = (seq, lane) => event(lane, 'read', 'lin', { conversation: 'c1', seq }, 'user:lin');
  const now = after(start(conversation()), message(4), message(5), read(4, 1));
  assert.equal(one(now).unread, 1);
  assert.equal(one(after(now, read(3, 2))).read_seq, 4);
  assert.equal(one(after(now, read(5, 3))).unread, 0);
});

test('who is removed loses the conversation and is told; who leaves is not', () => {
  const gone = (action) => after(start(conversation()), event(4, 'member', 'chen', { action, users: [LIN] }));
  assert.equal(gone('remove').conversations.size, 0);
  assert.deepEqual(gone('remove').parted, ['项目']);
  assert.deepEqual(gone('leave').parted, []);
});

test('who comes back after a removal begins anew', () => {
  const away = after(start(conversation()), event(4, 'member', 'chen', { action: 'remove', users: [LIN] }));
  const back = after(away, event(9, 'member', 'chen', { action: 'add', users: [LIN] }));
  assert.ok(back.wanted.has('c1'));
  assert.equal(one(state.withConversation(back, conversation('c1', { head_seq: 9 }))).head_seq, 9);
});

test('members come, go and change roles', () => {
  const wang = { id: 'wang', name: '王若溪', role: 'member' };
  let now = after(start(conversation()), event(4, 'member', 'lin', { action: 'add', users: [wang] }));
  assert.equal(one(now).member_count, 3);
  assert.equal(now.names.get('wang'), '王若溪');
  now = after(now, event(5, 'member', 'lin', { action: 'role', users: [{ ...wang, role: 'admin' }] }));
  assert.equal(one(now).members.find(({ id }) => id === 'wang').role, 'admin');
  now = after(now, event(6, 'member', 'chen', { action: 'leave', users: [CHEN] }));
  assert.deepEqual(one(now).members.map(({ id }) => id), ['lin', 'wang']);
});

test('the group passes to the owner that the event names', () => {
  const group = conversation('c1', { role: 'member', members: [{ ...LIN, role: 'member' }, { ...CHEN, role: 'owner' }] });
  const now = after(start(group), event(4, 'member', 'chen', { action: 'leave', users: [CHEN], owner: 'lin' }));
  assert.equal(one(now).role, 'owner');
});

test('a new title and a new name', () => {
  const now = after(start(conversation()), event(4, 'settings', 'chen', { title: '改名' }), event(1, 'profile', null, { id: 'chen', name: '小陈' }, 'directory'));
  assert.equal(one(now).title, '改名');
  assert.equal(now.names.get('chen'), '小陈');
});

test('an event of a type that is not known is passed over', () => {
  assert.equal(one(after(start(conversation()), event(4, 'poll', 'chen', {}), message(5))).head_seq, 5);
});

test('typing ends with the message, with the word, and with time', () => {
  const typing = (now, on, at = 0) => state.foldSignal(now, { type: 'typing', conversation: 'c1', user: 'chen', typing: on }, at);
  const who = (now) => [...(now.typing.get('c1')?.keys() ?? [])];
  const on = typing(start(conversation()), true);
  assert.deepEqual(who(on), ['chen']);
  assert.deepEqual(who(typing(on, false)), []);
  assert.deepEqual(who(after(on, message(4))), []);
  assert.deepEqual(who(state.expireTyping(on, 7_999)), ['chen']);
  assert.deepEqual(who(state.expireTyping(on, 8_000)), []);
});

test('the newest conversation comes first', () => {
  const now = after(start(conversation('a'), conversation('b')), { ...message(4), conversation: 'b' });
  assert.deepEqual(state.byRecency(now.conversations).map(({ id }) => id), ['b', 'a']);
});

test('a snapshot and the events after it say the same as a later snapshot', () => {
  const events = [message(4), message(5, 'lin'), event(6, 'settings', 'chen', { title: '改名' }), event(7, 'member', 'chen', { action: 'leave', users: [CHEN] })];
  const folded = one(after(start(conversation()), ...events));
  const later = one(start(conversation('c1', { head_seq: 7, title: '改名', unread: 1, last: message(5, 'lin'), member_count: 1, members: [LIN] })));
  for (const key of ['head_seq', 'title', 'unread', 'last', 'member_count', 'members', 'role', 'read_seq']) assert.deepEqual(folded[key], later[key], key);
});

test('an edited message says the new text, also as the last one', () => {
  const now = after(start(conversation()), message(4), event(5, 'edit', 'chen', { seq: 4, text: '改过' }));
  assert.equal(one(now).events[0].content.text, '改过');
  assert.equal(one(now).last.content.text, '改过');
});

test('a recalled message says nothing any more', () => {
  const now = after(start(conversation()), message(4), event(5, 'recall', 'chen', { seq: 4 }));
  assert.deepEqual(one(now).events[0].content, { type: 'recalled' });
  assert.equal(state.said(one(now).last.content, (key) => key), 'recalled');
});

test('a page of history says what its messages say now', () => {
  const [first, second] = state.asNow({ events: [message(1), message(2)], amended: [{ seq: 2, at: 5, text: '改过' }] });
  assert.equal(first.content.text, '第 1 条');
  assert.equal(second.content.text, '改过');
});

test('polls and forwarded messages are shown in words', () => {
  const poll = { type: 'poll', question: '吃什么？', options: ['米饭', '面条'] };
  assert.equal(state.said(poll, String), '📊 吃什么？\n1. 米饭\n2. 面条');
  assert.equal(state.said({ type: 'forward', items: [{ name: '李华', content: { type: 'text', text: '好' } }] }, String), '李华: 好');
});
