// What a person chose for this browser. Kept in localStorage, the same in every tab.

import { reactive, readonly, watchEffect } from 'vue';

import { chosenOf, KEY, readChosen, type Settings } from './choices';

export type { Language, Settings } from './choices';

const chosen = reactive<Settings>(readChosen());

/** Reactive; changed by `choose`. */
export const settings = readonly(chosen);

export function choose<K extends keyof Settings>(key: K, value: Settings[K]): void {
  chosen[key] = value;
  localStorage.setItem(KEY, JSON.stringify(chosen));
}

window.addEventListener('storage', ({ key, newValue }) => {
  if (key === KEY) Object.assign(chosen, chosenOf(newValue));
});

/** True when desktop notifications will be shown; asks the browser for it when it was not asked yet. From a click only. */
export async function askToNotify(): Promise<boolean> {
  if (!('Notification' in globalThis)) return false;
  const allowed = Notification.permission === 'default' ? await Notification.requestPermission() : Notification.permission;
  choose('desktop', allowed === 'granted');
  return chosen.desktop;
}

/** Puts theme and language on the page, now and whenever they change. */
export function dress(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const show = (): void => {
    root.dataset.theme = chosen.theme === 'system' ? (dark.matches ? 'dark' : 'light') : chosen.theme;
    root.lang = chosen.language === 'zh' ? 'zh-CN' : 'en';
  };
  watchEffect(show);
  dark.addEventListener('change', show);
}
