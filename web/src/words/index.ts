// One dictionary. Chinese is the model: English must have the same keys, and the compiler says when it has not.

import { shallowRef } from 'vue';

import { settings, type Settings } from '@/app/settings';

import { zh } from './zh';

export type Language = Settings['language'];
export type Key = keyof typeof zh;

const english = shallowRef<Readonly<Record<Key, string>> | null>(null);
let asked: Promise<void> | null = null;

/** The words of the language are there. English is loaded by who speaks it; if that fails it is Chinese, and the next sentence asks again. */
export function words(): Promise<void> {
  if (settings.language === 'zh' || english.value) return Promise.resolve();
  asked ??= import('./en').then(
    ({ en }) => void (english.value = en),
    () => void (asked = null),
  );
  return asked;
}
void words();

/** What `Intl` calls the language that is spoken. */
export const locale = (): string => (settings.language === 'zh' ? 'zh-CN' : 'en');

/**
 * A sentence in the language of the settings, with `{name}` put in; in a template it changes with the language.
 * Where one and many differ they are written `one|many`, and `n` decides.
 */
export function t(key: Key, put: Readonly<Record<string, string | number>> = {}): string {
  void words();
  let said: string = ((settings.language === 'en' && english.value) || zh)[key];
  if (typeof put['n'] === 'number' && said.includes('|')) said = said.split('|')[put['n'] === 1 ? 0 : 1] ?? said;
  return said.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = put[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? value.toLocaleString(locale()) : value;
  });
}
