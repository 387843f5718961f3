import { describe, expect, it } from 'vitest';

import { expireTyping, fold, foldSignal, fromSnapshot, nothing, withConversation, withOnline, withPage, withShorterRun } from '@/core/fold';
import type { Known } from '@/core/model';

import { after, CHEN, conversation, event, here, LIN, message, old, one, own, page, seqs, start } from './some';

const WANG = { id: 'wang', name: '王若溪', role: 'member' } as const;
const loaded = (...events: Parameters<typeof page>[0]): Known => withPage(start(conversation()), 'c1', page(events), 'newest');

describe('messages', () => {
  it('are shown, counted and named as the last one', () => {
    const known = after(loaded(), message(4), message(5, 'lin'));
    expect(seqs(one(known))).toEqual([4, 5]);
    expect(one(known).unread).toBe(1);
    expect(one(known).last?.seq).toBe(5);
  });

  it('change nothing when they come again, or are in the snapshot', () => {
    const fourth = message(4);
    const known = after(start(conversation()), fourth);
    expect(fold(known, fourth)).toBe(known);
    expect(fold(known, old(3))).toBe(known);
  });

  it('are not shown behind a hole, which is asked about', () => {
    const known = after(loaded(), message(4), message(6));
    expect(known.wanted.has('c1')).toBe(true);
    expect(one(known).loaded).toBe(false);
  });

  it('mention people, and no longer after an edit or a recall', () => {
    const known = after(start(conversation()), message(4, 'chen', { mentions: ['@admins'] }), message(5, 'chen', { mentions: ['wang'] }));
    expect(one(known).mentioned).toBe(1);
    expect(one(after(known, event(6, 'edit', 'chen', { seq: 5, text: '@林', mentions: ['lin'] }))).mentioned).toBe(2);
    expect(one(after(known, event(6, 'recall', 'chen', { seq: 4 }))).mentioned).toBe(0);
  });

  it('in threads count where they hang, and are unread only as mentions', () => {
    const known = after(loaded(old(3)), event(4, 'reply', 'chen', { type: 'text', text: '线', thread: 3, mentions: ['lin'] }));
    expect(one(known)).toMatchObject({ unread: 0, mentioned: 1, last: null });
    expect(one(known).states.get(3)).toEqual({ seq: 3, at: 4, replies: 1, reply_seq: 4 });
  });
});

describe('conversations', () => {
  it('are asked for when an event is of one that is not known', () => {
    const known = after(start(), event(7, 'member', 'chen', { action: 'add', users: [LIN] }));
    expect(known.wanted.has('c1')).toBe(true);
    expect(withConversation(known, conversation('c1', { head_seq: 7, cursor: here() })).wanted.size).toBe(0);
  });

  it('stay wanted when events have overtaken the answer', () => {
    const asked = after(start(), message(7));
    const early = here();
    const known = withConversation(after(asked, message(8)), conversation('c1', { head_seq: 7, cursor: early }));
    expect(known.wanted.has('c1')).toBe(true);
    expect(one(withConversation(known, conversation('c1', { head_seq: 8, cursor: here() }))).head_seq).toBe(8);
  });

  it('are not undone by an older answer, and not brought back after a removal', () => {
    const known = after(start(conversation()), message(4));
    expect(one(withConversation(known, conversation())).head_seq).toBe(4);
    const away = after(known, event(5, 'member', 'chen', { action: 'remove', users: [LIN] }));
    expect(withConversation(away, conversation()).rooms.size).toBe(0);
  });

  it('keep the run when an answer is ahead of the stream, and take its events once', () => {
    const before = loaded(old(3));
    const [fourth, fifth] = [message(4), message(5)];
    const known = after(withConversation(before, conversation('c1', { head_seq: 5, unread: 2, cursor: here() })), fourth, fifth);
    expect(seqs(one(known))).toEqual([3, 4, 5]);
    expect(one(known)).toMatchObject({ unread: 2, head_seq: 5, loaded: true });
  });

  it('come whole with their first event', () => {
    const known = after(start(), event(1, 'create', 'chen', { kind: 'group', title: '新', history: 'all', members: [LIN, CHEN] }));
    expect(one(known)).toMatchObject({ title: '新', role: 'owner', loaded: true, older: false });
    expect(known.wanted.size).toBe(0);
  });

  it('are lost to who is removed, who is told; who leaves is not', () => {
    const gone = (action: string): Known => after(start(conversation()), event(4, 'member', 'chen', { action, users: [LIN] }));
    expect(gone('remove').rooms.size).toBe(0);
    expect(gone('remove').parted).toEqual(['项目']);
    expect(gone('leave').parted).toEqual([]);
  });

  it('begin anew for who comes back', () => {
    const away = after(start(conversation()), event(4, 'member', 'chen', { action: 'remove', users: [LIN] }));
    const back = after(away, event(9, 'member', 'chen', { action: 'add', users: [LIN] }));
    expect(back.wanted.has('c1')).toBe(true);
    expect(one(withConversation(back, conversation('c1', { head_seq: 9, cursor: here() }))).head_seq).toBe(9);
  });

  it('have members who come, go and change roles', () => {
    let known = after(start(conversation()), event(4, 'member', 'lin', { action: 'add', users: [WANG] }));
    expect(one(known).member_count).toBe(3);
    expect(known.names.get('wang')).toBe('王若溪');
    known = after(known, event(5, 'member', 'lin', { action: 'role', users: [{ ...WANG, role: 'admin' }] }));
    expect(one(known).members?.find(({ id }) => id === 'wang')?.role).toBe('admin');
    known = after(known, event(6, 'member', 'chen', { action: 'leave', users: [CHEN] }));
    expect(one(known).members?.map(({ id }) => id)).toEqual(['lin', 'wang']);
  });

  it('pass to the owner that the event names', () => {
    const group = conversation('c1', { role: 'member', members: [{ ...LIN, role: 'member' }, { ...CHEN, role: 'owner' }] });
    expect(one(after(start(group), event(4, 'member', 'chen', { action: 'leave', users: [CHEN], owner: 'lin' }))).role).toBe('owner');
  });

  it('have titles, and people names, that change', () => {
    const known = after(start(conversation()), event(4, 'settings', 'chen', { title: '改名' }), event(1, 'profile', null, { id: 'chen', name: '小陈' }, 'directory'));
    expect(one(known).title).toBe('改名');
    expect(known.names.get('chen')).toBe('小陈');
    expect(one(known).members?.[0]?.name).toBe('小陈');
  });

  it('have a picture until an event about them comes without one', () => {
    const profile = (seq: number, avatar: object) => event(seq, 'profile', null, { id: 'chen', name: '陈', ...avatar }, 'directory');
    const known = after(start(conversation()), profile(1, { avatar: 'a1' }));
    expect(known.avatars.get('chen')).toBe('a1');
    expect(after(known, profile(2, {})).avatars.has('chen')).toBe(false);
  });

  it('pass over events of types that are not known', () => {
    expect(one(after(start(conversation()), event(4, 'jump', 'chen', {}), message(5))).head_seq).toBe(5);
  });
});

describe('pages', () => {
  it('join without doubles, before or after the stream has brought the same', () => {
    const live = after(start(conversation()), message(4));
    const newest = withPage(live, 'c1', page([old(3), old(4)], true), 'newest');
    const all = withPage(newest, 'c1', page([old(1), old(2)]), 'older');
    expect(seqs(one(all))).toEqual([1, 2, 3, 4]);
    expect(one(all).older).toBe(false);
    const early = withPage(start(conversation()), 'c1', page([old(3), old(4), old(5)]), 'newest');
    expect(seqs(one(after(early, message(4), message(5), message(6))))).toEqual([3, 4, 5, 6]);
  });

  it('go on with what came while they were under way', () => {
    const live = after(start(conversation()), message(4), event(5, 'react', 'chen', { seq: 3, emoji: '👍' }), message(6));
    const known = withPage(live, 'c1', page([old(3)], true), 'newest');
    expect(seqs(one(known))).toEqual([3, 4, 5, 6]);
    expect(one(known).states.get(3)?.reactions).toEqual({ '👍': { count: 1 } });
  });

  it('around a message stand for themselves until they reach the head', () => {
    const live = after(start(conversation('c1', { head_seq: 90, read_seq: 90 })), message(91));
    let known = withPage(live, 'c1', page([old(10), old(11)], true), 'around');
    known = after(known, message(92), event(93, 'react', 'chen', { seq: 11, emoji: '👍' }));
    expect(one(known)).toMatchObject({ newer: true, unread: 2, last: { seq: 92 } });
    expect(seqs(one(known))).toEqual([10, 11]);
    expect(one(known).states.get(11)?.reactions).toEqual({ '👍': { count: 1 } });
    known = withPage(known, 'c1', page([old(12), old(90)], true), 'newer');
    expect(one(known).newer).toBe(true);
    known = withPage(known, 'c1', page([old(91)]), 'newer');
    expect(seqs(one(known))).toEqual([10, 11, 12, 90, 91, 92, 93]);
    expect(one(known).newer).toBe(false);
    expect(seqs(one(after(known, message(94)))).at(-1)).toBe(94);
  });

  it('around a message near the end reach it', () => {
    const live = after(start(conversation('c1', { head_seq: 90, read_seq: 90 })), message(91));
    const known = withPage(live, 'c1', { ...page([old(89), old(90)], true), newer: false }, 'around');
    expect(one(known).newer).toBe(false);
    expect(seqs(one(after(known, message(92))))).toEqual([89, 90, 91, 92]);
  });

  it('give way to the newest', () => {
    const known = withPage(loaded(old(3)), 'c1', page([old(1)], false), 'around');
    expect(seqs(one(known))).toEqual([1]);
    expect(seqs(one(withPage(known, 'c1', page([old(2), old(3)], true), 'newest')))).toEqual([2, 3]);
  });

  it('say which messages are unread, so that reading some of them asks for nothing', () => {
    const first = start(conversation('c1', { head_seq: 6, read_seq: 2, unread: 3 }));
    const part = own('read', { seq: 4 });
    expect(after(first, part).wanted.has('c1')).toBe(true);
    const known = after(withPage(first, 'c1', page([old(1), old(2), old(3), old(4, 'lin'), old(5), old(6)]), 'newest'), part);
    expect(known.wanted.size).toBe(0);
    expect(one(known).unread).toBe(2);
  });

  it('that are ahead of the stream count nothing that is still to come', () => {
    const first = start(conversation('c1', { head_seq: 3, read_seq: 0, unread: 3 }));
    const [fourth, fifth] = [message(4), message(5)];
    const known = after(withPage(first, 'c1', page([old(3), fourth, fifth], true), 'newest'), fourth, fifth);
    expect(one(known).unread).toBe(5);
    expect(one(after(known, own('read', { seq: 3 }))).unread).toBe(2);
  });

  it('that have grown long are shortened when their reader leaves, and not before', () => {
    const many = Array.from({ length: 2_100 }, (_, n) => old(n + 1));
    const first = withPage(start(conversation('c1', { head_seq: 2_100, read_seq: 2_000, unread: 100 })), 'c1', page(many), 'newest');
    expect(one(first).events).toHaveLength(2_100);
    const read = after(first, own('read', { seq: 2_100 }));
    expect(one(read).events).toHaveLength(2_100);
    const known = withShorterRun(read, 'c1');
    expect(one(known).events).toHaveLength(1_500);
    expect(one(known).older).toBe(true);
  });
});

describe('acts', () => {
  it('change what a message says, also the last one', () => {
    const known = after(loaded(), message(4), event(5, 'edit', 'chen', { seq: 4, text: '改过' }));
    expect(one(known).states.get(4)).toMatchObject({ text: '改过', edits: 1, edited: 5000 });
    expect(one(known).amended?.text).toBe('改过');
  });

  it('take messages back, with their edits, wherever they are held', () => {
    const known = after(loaded(), message(4), event(5, 'edit', 'chen', { seq: 4, text: '改过' }), event(6, 'recall', 'chen', { seq: 4, edits: [5] }));
    expect(one(known).events.map(({ content }) => content.type ?? '')).toEqual(['recalled', 'recalled', '']);
    expect(one(known).last?.content).toEqual({ type: 'recalled' });
    expect(one(known).states.get(4)).toEqual({ seq: 4, at: 6, recalled: { user: 'chen', time: 6000 } });
  });

  it('also of messages that a page brings late, as they were before', () => {
    const live = after(start(conversation()), event(4, 'recall', 'chen', { seq: 2 }));
    const known = withPage(live, 'c1', page([old(1), old(2), old(3)]), 'newest');
    expect(one(known).events[1]?.content).toEqual({ type: 'recalled' });
  });
});

describe("one's own", () => {
  it('mark of another device lowers the count and never goes back', () => {
    const known = after(start(conversation()), message(4), message(5), own('read', { seq: 4 }));
    expect(one(known).unread).toBe(1);
    expect(one(after(known, own('read', { seq: 3 }))).read_seq).toBe(4);
    expect(one(after(known, own('read', { seq: 5 }))).unread).toBe(0);
  });

  it('mark as unread is asked about, and ends with the next mark', () => {
    const known = after(start(conversation()), own('unread', { seq: 2 }));
    expect(one(known).own).toEqual({ unread_from: 2 });
    expect(known.wanted.has('c1')).toBe(true);
    const told = withConversation(known, conversation('c1', { own: { unread_from: 2 }, unread: 2, cursor: here() }));
    const read = after(told, own('read', { seq: 3 }));
    expect(one(read)).toMatchObject({ unread: 0, own: {} });
    expect(read.wanted.size).toBe(0);
  });

  it('drafts, levels and places are kept, and go', () => {
    let known = after(start(conversation()), own('draft', { text: '线', thread: 2 }), own('draft', { text: '写' }), own('notify', { level: 'mentions' }), own('arrange', { pinned: true }));
    expect(one(known).own).toMatchObject({ level: 'mentions', pinned: true, drafts: [{ text: '写' }, { text: '线', thread: 2 }] });
    known = after(known, own('draft', {}), own('draft', { thread: 2 }), own('notify', {}), own('arrange', {}));
    expect(one(known).own).toEqual({});
  });

  it('hidden messages are not there, and come back with another page', () => {
    const known = after(loaded(old(1), old(2), old(3)), own('hide', { seqs: [2] }));
    expect(one(known).hidden.has(2)).toBe(true);
    expect(one(after(known, own('unhide', { seqs: [2] }))).loaded).toBe(true);
    expect(one(after(loaded(old(1), old(3)), own('unhide', { seqs: [2] }))).loaded).toBe(false);
  });

  it('preferences and status are the newest, and lists that are asked for are heard of', () => {
    const known = after(start(), own('preferences', { preferences: { keywords: ['上线'] } }), own('status', { emoji: '🎉' }), own('timer', { id: 't' }, 7));
    expect(known.preferences).toEqual({ keywords: ['上线'] });
    expect(known.statusText).toMatchObject({ text: '', emoji: '🎉' });
    expect(known.heard.get('timer')).toBe(7);
  });
});

describe('signals', () => {
  const typing = (known: Known, on: boolean): Known => foldSignal(known, { type: 'typing', conversation: 'c1', user: 'chen', typing: on }, 0);
  const who = (known: Known): string[] => [...(known.typing.get('c1')?.keys() ?? [])];

  it('of typing end with the message, with the word, and with time', () => {
    const on = typing(start(conversation()), true);
    expect(who(on)).toEqual(['chen']);
    expect(who(typing(on, false))).toEqual([]);
    expect(who(after(on, message(4)))).toEqual([]);
    expect(who(expireTyping(on, 7_999))).toEqual(['chen']);
    expect(who(expireTyping(on, 8_000))).toEqual([]);
  });

  it('of presence and marks are kept; a new snapshot keeps presence', () => {
    let known = foldSignal(start(conversation()), { type: 'presence', user: 'chen', status: 'busy', status_text: { text: '开会' } }, 0);
    known = foldSignal(known, { type: 'read', conversation: 'c1', user: 'chen', seq: 3 }, 0);
    known = foldSignal(known, { type: 'read', conversation: 'c1', user: 'chen', seq: 2 }, 0);
    expect(one(known).marks.get('chen')).toBe(3);
    const again = fromSnapshot(known, { cursor: 'x.200', user: { id: 'lin', name: '林', admin: false }, conversations: [], preferences: {}, status_text: null });
    expect(again.presence.get('chen')).toEqual({ status: 'busy', statusText: { text: '开会' } });
    expect(withOnline(again, []).presence.size).toBe(0);
  });
});

it('nothing is known at the beginning', () => {
  expect(nothing.rooms.size).toBe(0);
});
