// Words for the tests of core/.

import { fold, fromSnapshot, nothing } from '@/core/fold';
import type { Amended, Conversation, Event, Id, Known, Page, Room, Seq } from '@/core/model';

export const LIN = { id: 'lin', name: '林清和', role: 'owner' } as const;
export const CHEN = { id: 'chen', name: '陈思远', role: 'member' } as const;

let place = 100;

export function conversation(id = 'c1', by: Partial<Conversation> = {}): Conversation {
  return {
    id, kind: 'group', title: '项目', topic: null, history: 'all', writers: 'all', role: 'owner', first_seq: 1, head_seq: 3, read_seq: 3,
    unread: 0, mentioned: 0, last: null, member_count: 2, members: [CHEN, LIN], cursor: 'x.100', ...by,
  };
}

export function start(...conversations: Conversation[]): Known {
  place = 100;
  const user = { id: 'lin', name: '林清和', admin: false };
  return fromSnapshot(nothing, { cursor: 'x.100', user, conversations, preferences: {}, status_text: null });
}

/** The next one of the log. */
export const event = (seq: Seq, type: string, sender: Id | null, content: object, lane = 'c1'): Event => ({
  cursor: `x.${(place += 1)}`, conversation: lane, seq, type, sender, time: seq * 1000, content,
});

export const message = (seq: Seq, sender: Id = 'chen', more: object = {}): Event => event(seq, 'message', sender, { type: 'text', text: `第 ${seq} 条`, ...more });

export const own = (type: string, content: object, seq = place): Event => event(seq, type, 'lin', { conversation: 'c1', ...content }, 'user:lin');

/** One that was there before the snapshot. */
export const old = (seq: Seq, sender: Id = 'chen', more: object = {}): Event => ({ ...message(seq, sender, more), cursor: `x.${seq}` });

export const page = (events: Event[], more = false, amended: Amended[] = []): Page => ({ events, more, amended });

export const after = (first: Known, ...events: Event[]): Known => events.reduce(fold, first);

export const one = (known: Known, id = 'c1'): Room => known.rooms.get(id)!;

export const seqs = (room: Room): Seq[] => room.events.map(({ seq }) => seq);

/** The place of the next event. */
export const here = (): string => `x.${place}`;
