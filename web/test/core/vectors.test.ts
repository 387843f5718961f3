// Against the server's own core: what it was, what has happened, what it is. tests/web/test_fold.py makes the plays and runs this.

import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { isWritten } from '@/core/amend';
import { fold, fromSnapshot, nothing, withConversation, withoutConversation, withPage, type Where } from '@/core/fold';
import type { Amended, Conversation, Event, Id, Kind, Known, Page, Room, Snapshot, Time } from '@/core/model';
import { notifies, type Decision, type Reader, type Said } from '@/core/notify';

type Step = { readonly event: Event } | { readonly answer: Conversation } | { readonly page: Page; readonly where: Where; readonly conversation: Id };

interface Play {
  readonly me: Id;
  readonly first: Snapshot;
  readonly told: readonly Step[];
  readonly later: Snapshot;
  readonly pages: Readonly<Record<Id, Page>>;
  readonly plain?: boolean;
}

interface Vectors {
  readonly plays: readonly Play[];
  readonly decisions: readonly { said: Said; kind: Kind; reader: Reader; now: Time; decision: Decision }[];
}

const path = process.env['HONGYAN_VECTORS'];
const vectors: Vectors = path ? JSON.parse(readFileSync(path, 'utf-8')) : { plays: [], decisions: [] };

function played(known: Known, step: Step): Known {
  if ('event' in step) return fold(known, step.event);
  if ('answer' in step) return withConversation(known, step.answer);
  return withPage(known, step.conversation, step.page, step.where);
}

/** What is still wanted is asked for now. */
function answered(known: Known, later: Snapshot): Known {
  return [...known.wanted].reduce((next, id) => {
    const answer = later.conversations.find((one) => one.id === id);
    return answer ? withConversation(next, answer) : withoutConversation(next, id);
  }, known);
}

const NAMES = [
  'kind', 'title', 'topic', 'history', 'writers', 'role', 'first_seq', 'head_seq', 'read_seq', 'unread', 'mentioned', 'last', 'amended',
  'member_count', 'members', 'own',
] as const;

const view = (room: Room | Conversation): unknown =>
  Object.fromEntries(NAMES.map((name) => [name, name === 'amended' ? usual(room.amended) : name === 'own' ? (room.own ?? {}) : room[name]]));

/** Without members that are as usual. */
function usual(state: Amended | null | undefined): unknown {
  if (!state) return null;
  const isUsual = (value: unknown): boolean => !value || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(state).filter(([, value]) => !isUsual(value)));
}

function compareRun(room: Room, page: Page): void {
  expect(room.newer || room.events.at(-1)!.seq === room.head_seq, 'the run reaches the head').toBe(true);
  const [first, last] = [room.events[0]!.seq, room.events.at(-1)!.seq];
  const there = page.events.filter((event) => event.seq >= first && event.seq <= last);
  expect(room.events.filter((event) => there.some(({ seq }) => seq === event.seq) || !room.hidden.has(event.seq))).toEqual(there);
  if (!room.older) expect(page.events[0]!.seq).toBe(first);
  const states = new Map(page.amended?.map((state) => [state.seq, state]));
  for (const { seq } of there.filter(isWritten)) expect(usual(room.states.get(seq)), `what was done to ${seq}`).toEqual(usual(states.get(seq)));
}

describe.skipIf(!path)('the fold says what the server says', () => {
  it.each(vectors.plays.map((play, n) => [n, play] as const))('play %i', (_, { first, told, later, pages, plain }) => {
    let known = told.reduce(played, fromSnapshot(nothing, first));
    if (plain) expect(known.wanted.size).toBe(0);
    known = answered(known, later);
    expect(known.wanted.size).toBe(0);
    expect([...known.rooms.keys()].sort()).toEqual(later.conversations.map(({ id }) => id).sort());
    expect([known.me, known.preferences, known.statusText]).toEqual([later.user, later.preferences, later.status_text && Object.assign({ text: '' }, later.status_text)]);
    for (const conversation of later.conversations) {
      const room = known.rooms.get(conversation.id)!;
      expect(view(room), conversation.id).toEqual(view(conversation));
      for (const member of conversation.members ?? []) expect(known.names.get(member.id)).toBe(member.name);
      if (room.loaded) compareRun(room, pages[conversation.id]!);
    }
  });

  it('decides who is told as the server does', () => {
    for (const { said, kind, reader, now, decision } of vectors.decisions) {
      expect(notifies(said, kind, reader, now), JSON.stringify({ said, kind, reader, now })).toEqual(decision);
    }
  });
});
