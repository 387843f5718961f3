// One dictionary. Chinese is the model: English must have the same keys, and the compiler says when it has not.

import { settings, type Settings } from '@/app/settings';

import { en } from './en';
import { en as roomEn, zh as roomZh } from './room';
import { zh } from './zh';

export type Language = Settings['language'];
export type Key = keyof typeof zh | keyof typeof roomZh;
type Words = Readonly<Record<Key, string>>;

const words: Readonly<Record<Language, Words>> = { zh: { ...zh, ...roomZh }, en: { ...en, ...roomEn } };

/** What `Intl` calls the language that is spoken. */
export const locale = (): string => (settings.language === 'zh' ? 'zh-CN' : 'en');

/**
 * A sentence in the language of the settings, with `{name}` put in; in a template it changes with the language.
 * Where one and many differ they are written `one|many`, and `n` decides.
 */
export function t(key: Key, put: Readonly<Record<string, string | number>> = {}): string {
  let said: string = words[settings.language][key];
  if (typeof put['n'] === 'number' && said.includes('|')) said = said.split('|')[put['n'] === 1 ? 0 : 1] ?? said;
  return said.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = put[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? value.toLocaleString(locale()) : value;
  });
}
