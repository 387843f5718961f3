// Whom `@` and a few letters may mean. Pure.

import { ranked, type Spell } from '@/core/match';
import type { Id, Person } from '@/core/model';

export interface Suggestion {
  /** An account, `@all` or `@admins`. */
  readonly id: string;
  /** What is written after `@`. */
  readonly label: string;
  readonly hint: string;
}

const MOST = 30;

/** Those who spoke last come first, then everybody by name; oneself is not among them. */
export function suggestions(
  query: string,
  people: readonly Person[],
  groups: readonly Suggestion[],
  lately: readonly Id[],
  me: Id,
  spell: Spell | undefined,
): Suggestion[] {
  const place = new Map(lately.map((id, at) => [id, at]));
  const order = (one: Person): number => place.get(one.id) ?? lately.length;
  const others = people
    .filter((one) => one.id !== me)
    .sort((a, b) => order(a) - order(b))
    .map(({ id, name }) => ({ id, label: name || id, hint: id }));
  return ranked(query, [...groups, ...others], (one) => [one.label, one.id, ...(one.id.startsWith('@') ? [one.hint] : [])], spell).slice(0, MOST);
}
