// What one keeps at hand, as far as it was asked for: conversation -> message -> its note, which may be empty.

import type { Id, Known, OwnAct, Seq } from './model';

type Bookmarks = NonNullable<Known['bookmarks']>;
type Mark = { readonly conversation: Id; readonly seq: Seq; readonly note?: string };

export function bookmarksOf(marks: readonly Mark[]): Bookmarks {
  const all = new Map<Id, Map<Seq, string>>();
  for (const { conversation, seq, note = '' } of marks) {
    const here = all.get(conversation) ?? new Map<Seq, string>();
    all.set(conversation, here.set(seq, note));
  }
  return all;
}

/** After an event of one's own lane, or the act that will become one; any other changes nothing. */
export function bookmarked<B extends Known['bookmarks']>(all: B, type: OwnAct['type'] | (string & {}), { conversation, seq, note = '' }: Mark): B | Bookmarks {
  if (!all || (type !== 'bookmark' && type !== 'unbookmark')) return all;
  const here = new Map(all.get(conversation));
  if (type === 'bookmark') here.set(seq, note);
  else here.delete(seq);
  return new Map(all).set(conversation, here);
}
