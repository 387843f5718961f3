// Matching for `Ctrl-K` and mentions: by what is written, by the beginnings of words, and by pinyin, whole or by its first letters.

import { folded } from './notify';

/** The pinyin of one Chinese character without tones, all of them when there are several. Comes later, on its own. */
export type Spell = (char: string) => readonly string[];

export interface Match {
  /** Higher is better. */
  readonly score: number;
  /** What to mark, [begin, end) in the name. */
  readonly ranges: readonly (readonly [number, number])[];
}

interface Name {
  readonly chars: readonly string[];
  readonly folded: readonly string[];
  readonly starts: readonly boolean[];
}

const HAN = /\p{Script=Han}/u;
const WORD = /[\p{L}\p{N}]/u;
const unspelt: Spell = () => [];

/** Null when it does not match. Everything matches an empty query. */
export function match(query: string, text: string, spell: Spell = unspelt): Match | null {
  const wanted = folded(query).replace(/\s+/gu, '');
  if (!wanted) return { score: 0, ranges: [] };
  const name = nameOf(text);
  let best: { cost: number; at: readonly number[] } | null = null;
  const dead = new Set<number>();
  for (let begin = 0; begin < name.chars.length; begin++) {
    const found = follow(wanted, 0, name, begin, spell, dead);
    // In the middle of a Latin word only what is written there counts, not letters that are picked together.
    if (!found || (!name.starts[begin] && found.gaps)) continue;
    const cost = found.gaps * 20 + found.spelt * 2 + (begin ? 8 : 0) + (name.starts[begin] ? 0 : 25);
    if (!best || cost < best.cost) best = { cost, at: found.at };
  }
  return best && { score: 1000 - best.cost * 4 - Math.min(60, name.chars.length - best.at.length), ranges: rangesOf(name, best.at) };
}

/** The best first; those that match equally well stay in their order. */
export function ranked<T>(query: string, all: readonly T[], texts: (one: T) => readonly string[], spell: Spell = unspelt): T[] {
  const scored = all.flatMap((one) => {
    const scores = texts(one).flatMap((text) => match(query, text, spell)?.score ?? []);
    return scores.length ? [{ one, score: Math.max(...scores) }] : [];
  });
  return scored.sort((a, b) => b.score - a.score).map(({ one }) => one);
}

interface Path {
  readonly at: readonly number[];
  readonly gaps: number;
  readonly spelt: number;
}

/** The rest of the query from this character of the name on; what follows is next to it, or begins a later word. */
function follow(query: string, from: number, name: Name, place: number, spell: Spell, dead: Set<number>): Path | null {
  const state = from * 512 + place;
  if (dead.has(state)) return null;
  for (const { length, spelt } of steps(query, from, name, place, spell)) {
    if (from + length === query.length) return { at: [place], gaps: 0, spelt };
    for (let next = place + 1; next < name.chars.length; next++) {
      const isNear = next === place + 1 || name.chars.slice(place + 1, next).every((char) => !WORD.test(char));
      if (!isNear && !name.starts[next]) continue;
      const rest = follow(query, from + length, name, next, spell, dead);
      if (rest) return { at: [place, ...rest.at], gaps: rest.gaps + (isNear ? 0 : 1), spelt: rest.spelt + spelt };
    }
  }
  dead.add(state);
  return null;
}

/** How much of the query one character can stand for: itself, or any beginning of its pinyin, the longest first. */
function* steps(query: string, from: number, name: Name, place: number, spell: Spell): Generator<{ length: number; spelt: number }> {
  const char = name.folded[place]!;
  if (char && query.startsWith(char, from)) yield { length: char.length, spelt: 0 };
  if (!HAN.test(char)) return;
  const lengths = new Set(spell(char).flatMap((syllable) => beginnings(syllable, query, from)));
  for (const length of [...lengths].sort((a, b) => b - a)) yield { length, spelt: 1 };
}

function beginnings(syllable: string, query: string, from: number): number[] {
  let most = 0;
  while (most < syllable.length && syllable[most] === query[from + most]) most++;
  return Array.from({ length: most }, (_, at) => at + 1);
}

function nameOf(text: string): Name {
  const chars = Array.from(text).slice(0, 512);
  const starts = chars.map((char, at) => {
    const before = chars[at - 1] ?? ' ';
    if (!WORD.test(char)) return false;
    return HAN.test(char) || HAN.test(before) || !WORD.test(before) || (/\p{Lu}/u.test(char) && /\p{Ll}/u.test(before));
  });
  return { chars, folded: chars.map(folded), starts };
}

function rangesOf({ chars }: Name, at: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  let offset = 0;
  chars.forEach((char, place) => {
    const end = offset + char.length;
    const last = ranges.at(-1);
    if (at.includes(place)) {
      if (last?.[1] === offset) last[1] = end;
      else ranges.push([offset, end]);
    }
    offset = end;
  });
  return ranges;
}
