// The files of the dictionary: two parts for each language. Only those of the language that is spoken are loaded.

import type { Language } from '@/app/choices';

import type { words as first } from './first.zh';
import type { words as later } from './later.zh';

/** Chinese is the model: English must have the same keys, and the compiler says when it has not. */
export type Key = keyof typeof first | keyof typeof later;
/** What the list and a conversation say; and what is said by whatever is loaded when it is first opened. */
export type Part = 'first' | 'later';
export type Words = Readonly<Partial<Record<Key, string>>>;

const FILES: Readonly<Record<Language, Readonly<Record<Part, () => Promise<{ words: Words }>>>>> = {
  zh: { first: () => import('./first.zh'), later: () => import('./later.zh') },
  en: { first: () => import('./first.en'), later: () => import('./later.en') },
};

export const load = async (language: Language, part: Part): Promise<Words> => (await FILES[language][part]()).words;
