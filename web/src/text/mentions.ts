// Who is named in a text, and how.

import type { Person } from '@/core/model';

/** A way to write somebody after `@`; ids are compared without regard to case. */
export interface Label {
  readonly id: string;
  readonly label: string;
}

export const ALL = '@all';
export const ADMINS = '@admins';

/** However it was written, in either language: who reads it may have the other. */
const EVERYBODY: readonly Label[] = [
  { id: ALL, label: '所有人' },
  { id: ALL, label: 'all' },
  { id: ALL, label: 'everyone' },
];
const ADMINISTRATORS: readonly Label[] = [
  { id: ADMINS, label: '管理员' },
  { id: ADMINS, label: 'admins' },
];

export interface Part {
  readonly text: string;
  /** Null: just text. */
  readonly id: string | null;
}

/** The labels of people, longest first, so that 李华明 is not taken for 李华. */
export function labelsOf(people: Iterable<Person>, groups: { all?: boolean; admins?: boolean } = {}): Label[] {
  const labels: Label[] = [...(groups.all ? EVERYBODY : []), ...(groups.admins ? ADMINISTRATORS : [])];
  for (const { id, name } of people) {
    labels.push({ id, label: id });
    if (name && name !== id) labels.push({ id, label: name });
  }
  return labels.sort((a, b) => b.label.length - a.label.length);
}

/** The labels of the ids that an event says it mentions. */
export function labelsOfIds(ids: readonly string[], names: ReadonlyMap<string, string>): Label[] {
  const people = ids.filter((id) => !id.startsWith('@')).map((id) => ({ id, name: names.get(id) ?? id }));
  return labelsOf(people, { all: ids.includes(ALL), admins: ids.includes(ADMINS) });
}

export function splitMentions(text: string, labels: readonly Label[]): Part[] {
  const parts: Part[] = [];
  let begin = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const found = isStart(text, at) ? labels.find((one) => isLabel(text, at + 1, one.label)) : undefined;
    if (!found) continue;
    if (at > begin) parts.push({ text: text.slice(begin, at), id: null });
    begin = at + 1 + found.label.length;
    parts.push({ text: text.slice(at, begin), id: found.id });
    at = begin - 1;
  }
  if (begin < text.length) parts.push({ text: text.slice(begin), id: null });
  return parts;
}

/** The `mentions` of a message: each once, in the order of the text; code names nobody. */
export function mentionsIn(text: string, labels: readonly Label[]): string[] {
  const spoken = text.replace(/(^|\n)(```|~~~)[\s\S]*?(\n\2|$)/g, '$1').replace(/(`+)[^`]+\1/g, ' ');
  const ids = splitMentions(spoken, labels).map((part) => part.id);
  return [...new Set(ids.filter((id) => id !== null))].slice(0, 100);
}

/** Not in the middle of a word of Latin letters: that is an address. */
function isStart(text: string, at: number): boolean {
  return at === 0 || !/[A-Za-z0-9._-]/.test(text[at - 1]!);
}

function isLabel(text: string, at: number, label: string): boolean {
  const end = at + label.length;
  if (text.slice(at, end).toLowerCase() !== label.toLowerCase()) return false;
  // `@li` is not `@lihua`; Chinese has no spaces, so what follows a name in Chinese may be anything.
  return end >= text.length || !(/[A-Za-z0-9_]$/.test(label) && /^(?:[A-Za-z0-9_]|[.-][A-Za-z0-9_])/.test(text.slice(end, end + 2)));
}

/** What is being typed after `@`, left of the caret. */
export interface Asking {
  readonly from: number;
  readonly query: string;
}

export function askingAt(text: string, caret: number): Asking | null {
  const line = text.slice(Math.max(0, caret - 40), caret);
  const found = /@([^\s@]{0,24})$/.exec(line);
  if (!found) return null;
  const from = caret - found[0].length;
  return isStart(text, from) ? { from, query: found[1]! } : null;
}
