// What a person has of a conversation for themselves, as a fold over the events of their own lane. Twin of core/owned.py.

import type { Draft, Own, Time } from './model';

/** An event of one's own lane, or the act that will become one. */
export interface Done {
  readonly type: string;
  readonly time: Time;
  readonly content: any;
}

/** The next state, after an event that names the conversation. Members that are as usual are left out. */
export function ownAfter(own: Own, { type, time, content }: Done): Own {
  switch (type) {
    case 'draft':
      return drafted(own, time, content);
    case 'notify': {
      const { level: _, muted_until: __, ...rest } = own;
      const { level = 'all', muted_until } = content;
      return { ...rest, ...(level === 'all' ? {} : { level }), ...(muted_until === undefined ? {} : { muted_until }) };
    }
    case 'arrange': {
      const { pinned: _, archived: __, place: ___, ...rest } = own;
      const { pinned, archived, place } = content;
      return { ...rest, ...(pinned ? { pinned } : {}), ...(archived ? { archived } : {}), ...(place === undefined ? {} : { place }) };
    }
    case 'unread':
      return { ...own, unread_from: content.seq };
    case 'read': {
      // Whatever becomes an event ends it: a mark below it that does not move is none.
      const { unread_from, ...rest } = own;
      return unread_from === undefined ? own : rest;
    }
    default:
      return own;
  }
}

/** That of the conversation first, then those of its threads. */
function drafted(own: Own, time: Time, { text, reply, thread }: Partial<Draft>): Own {
  const { drafts = [], ...rest } = own;
  const others = drafts.filter((draft) => (draft.thread ?? 0) !== (thread ?? 0));
  const here = text === undefined ? [] : [{ text, time, ...(reply === undefined ? {} : { reply }), ...(thread === undefined ? {} : { thread }) }];
  const after = [...others, ...here].sort((a, b) => (a.thread ?? 0) - (b.thread ?? 0));
  return after.length ? { ...rest, drafts: after } : rest;
}
