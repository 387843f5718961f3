import { describe, expect, it } from 'vitest';

import { amend, foreseen, pageAfter, said, untouched } from '@/core/amend';
import { fold, withPage } from '@/core/fold';
import type { Act, Amended, Event } from '@/core/model';
import { actShown, ownShown, readShown } from '@/core/shown';

import { after, conversation, event, message, old, one, page, start } from './some';

const fold_ = (...events: Event[]): Amended => events.reduce((state, next) => amend(state, next, 'lin'), untouched(4));

describe('what was done to a message', () => {
  it('counts reactions, and whether one of them is mine', () => {
    const both = fold_(event(5, 'react', 'chen', { seq: 4, emoji: '👍' }), event(6, 'react', 'lin', { seq: 4, emoji: '👍' }));
    expect(both.reactions).toEqual({ '👍': { count: 2, mine: true } });
    expect(amend(both, event(7, 'unreact', 'lin', { seq: 4, emoji: '👍' }), 'lin').reactions).toEqual({ '👍': { count: 1 } });
  });

  it('counts votes instead of the ones before', () => {
    const voted = fold_(event(5, 'vote', 'chen', { seq: 4, options: [0, 1] }), event(6, 'vote', 'chen', { seq: 4, options: [1], was: [0, 1] }));
    expect(voted.votes).toEqual({ 1: { count: 1 } });
  });

  it('takes no act twice', () => {
    const state = fold_(event(5, 'pin', 'chen', { seq: 4 }));
    expect(amend(state, event(5, 'unpin', 'chen', { seq: 4 }), 'lin')).toBe(state);
  });

  it('leaves only the thread of what was taken back', () => {
    const state = fold_(event(5, 'reply', 'chen', { thread: 4 }), event(6, 'react', 'chen', { seq: 4, emoji: '👍' }), event(7, 'recall', 'chen', { seq: 4 }));
    expect(state).toEqual({ seq: 4, at: 7, recalled: { user: 'chen', time: 7000 }, replies: 1, reply_seq: 5 });
  });

  it('is what the message says now', () => {
    const sent = { type: 'text', text: '原', mentions: ['chen'], reply: 2 } as const;
    expect(said(sent, { seq: 4, at: 5, text: '改' })).toEqual({ type: 'text', text: '改', reply: 2 });
    expect(said(sent, { seq: 4, at: 5, recalled: { user: 'chen', time: 1 } })).toEqual({ type: 'recalled' });
  });

  it('makes a page the page of later', () => {
    const before = page([old(4), old(5)]);
    const later = pageAfter(pageAfter(before, event(6, 'pin', 'chen', { seq: 4 }), 'lin'), event(7, 'recall', 'chen', { seq: 5 }), 'lin');
    expect(later.amended?.map(({ seq, at }) => [seq, at])).toEqual([[4, 6], [5, 7]]);
    expect(later.events[1]?.content).toEqual({ type: 'recalled' });
    expect(pageAfter(before, event(8, 'pin', 'chen', { seq: 9 }), 'lin')).toBe(before);
  });
});

describe('what is shown before it is answered', () => {
  const first = withPage(start(conversation()), 'c1', page([old(3)]), 'newest');
  const acts: [Act, Event][] = [
    [{ type: 'react', seq: 3, emoji: '👍' }, event(4, 'react', 'lin', { seq: 3, emoji: '👍' })],
    [{ type: 'vote', seq: 3, options: [1] }, event(4, 'vote', 'lin', { seq: 3, options: [1] })],
    [{ type: 'pin', seq: 3 }, event(4, 'pin', 'lin', { seq: 3 })],
    [{ type: 'close', seq: 3 }, event(4, 'close', 'lin', { seq: 3 })],
    [{ type: 'recall', seq: 3 }, event(4, 'recall', 'lin', { seq: 3 })],
  ];

  it.each(acts)('is what it becomes, and changes nothing when it has become so: %o', (act, became) => {
    const shown = one(actShown(first, 'c1', act, 4000)).states.get(3);
    const known = fold(first, { ...became, cursor: 'x.900' });
    expect({ ...shown, at: 4 }).toEqual(one(known).states.get(3));
    expect(one(actShown(known, 'c1', act, 4000)).states.get(3)).toEqual(one(known).states.get(3));
    expect(one(first).states.size).toBe(0);
  });

  it('of the event that comes while it is still shown counts once', () => {
    const shown = actShown(first, 'c1', { type: 'vote', seq: 3, options: [0] }, 1);
    const known = fold(shown, { ...event(4, 'vote', 'lin', { seq: 3, options: [0] }), cursor: 'x.900' });
    expect(one(known).states.get(3)?.votes).toEqual({ 0: { count: 1, mine: true } });
  });

  it('takes the vote before back', () => {
    const state: Amended = { seq: 3, at: 1, votes: { 0: { count: 2, mine: true }, 1: { count: 1 } } };
    expect(foreseen(state, { type: 'vote', seq: 3, options: [1] }, 'lin', 1).votes).toEqual({ 0: { count: 1 }, 1: { count: 2, mine: true } });
  });

  it('is also one\'s own: marks, places, what is hidden', () => {
    const known = after(start(conversation()), message(4));
    expect(one(readShown(known, 'c1', 4)).unread).toBe(0);
    expect(one(ownShown(known, { type: 'arrange', conversation: 'c1', pinned: true, archived: false }, 1)).own).toEqual({ pinned: true });
    expect(one(ownShown(known, { type: 'hide', conversation: 'c1', seqs: [4] }, 1)).hidden.has(4)).toBe(true);
    expect(ownShown(known, { type: 'status', text: '开会' }, 1).statusText).toEqual({ text: '开会' });
  });
});
