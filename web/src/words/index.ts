// One dictionary, in the language that is spoken. Its files are in `parts.ts`.

import { shallowRef } from 'vue';

import { settings, type Language } from '@/app/settings';

import { load, type Key, type Part, type Words } from './parts';

export type { Key } from './parts';
export type { Language } from '@/app/settings';

const spoken = shallowRef<Readonly<Record<Language, Words>>>({ zh: {}, en: {} });
const asked = new Map<string, Promise<void>>();

function ask(language: Language, part: Part): Promise<void> {
  const name = `${language} ${part}`;
  const before = asked.get(name);
  if (before) return before;
  const asking = load(language, part).then(
    (words) => void (spoken.value = { ...spoken.value, [language]: { ...spoken.value[language], ...words } }),
    (error: unknown) => {
      asked.delete(name);
      throw error;
    },
  );
  asked.set(name, asking);
  return asking;
}

const other = (): Language => (settings.language === 'zh' ? 'en' : 'zh');

/** The words of this part are there: of the language that is spoken, or, where these cannot be loaded, of the other one. */
export const words = (part: Part = 'first'): Promise<void> => ask(settings.language, part).catch(() => ask(other(), part));

/** What `Intl` calls the language that is spoken. */
export const locale = (): string => (settings.language === 'zh' ? 'zh-CN' : 'en');

/**
 * A sentence in the language of the settings, with `{name}` put in; in a template it changes with the language.
 * Where one and many differ they are written `one|many`, and `n` decides.
 */
export function t(key: Key, put: Readonly<Record<string, string | number>> = {}): string {
  let said: string = spoken.value[settings.language][key] ?? missing(key);
  if (typeof put['n'] === 'number' && said.includes('|')) said = said.split('|')[put['n'] === 1 ? 0 : 1] ?? said;
  return said.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = put[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? value.toLocaleString(locale()) : value;
  });
}

/** Somebody has just chosen the language, or it could not be loaded: it is asked for, and the other one said meanwhile. */
function missing(key: Key): string {
  for (const part of ['first', 'later'] as const) ask(settings.language, part).catch(() => {});
  return spoken.value[other()][key] ?? '';
}
