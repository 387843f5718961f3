// What one does is shown at once. The store keeps what is known apart from what is on its way, and shows the one with the other;
// what is refused is simply left out again. Showing something that has become so already changes nothing.

import { foreseen, untouched } from './amend';
import { bookmarked } from './bookmarks';
import type { Act, Id, Known, OwnAct, Room, Seq, Time } from './model';
import { done, settled } from './room';

export function actShown(known: Known, conversation: Id, act: Act, now: Time): Known {
  const before = known.rooms.get(conversation)?.states.get(act.seq) ?? untouched(act.seq);
  return changed(known, conversation, (room) => {
    const after = foreseen(before, act, known.me?.id ?? '', now);
    return settled({ ...room, states: new Map(room.states).set(act.seq, after) });
  });
}

export function ownShown(known: Known, act: OwnAct, now: Time): Known {
  if (act.type === 'preferences') return { ...known, preferences: act.preferences };
  if (act.type === 'status') {
    const { type: _, text = '', ...more } = act;
    return { ...known, statusText: text || more.emoji ? { text, ...more } : null };
  }
  if (act.type === 'bookmark' || act.type === 'unbookmark') return { ...known, bookmarks: bookmarked(known.bookmarks, act.type, act) };
  return changed(known, act.conversation, (room) => settled(done(room, { type: act.type, time: now, content: act }).room));
}

/** A read mark on its way. */
export const readShown = (known: Known, conversation: Id, seq: Seq): Known =>
  changed(known, conversation, (room) => settled(done(room, { type: 'read', time: 0, content: { seq } }).room));

function changed(known: Known, id: Id, by: (room: Room) => Room): Known {
  const room = known.rooms.get(id);
  return room ? { ...known, rooms: new Map(known.rooms).set(id, by(room)) } : known;
}
