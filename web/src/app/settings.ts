// What a person chose for this browser. Kept in localStorage, the same in every tab.

import { reactive, readonly, watchEffect } from 'vue';

export interface Settings {
  theme: 'light' | 'dark' | 'system';
  language: 'zh' | 'en';
  /** What sends a message; the other one makes a new line. */
  sendKey: 'enter' | 'ctrl-enter';
  sound: boolean;
  /** Also needs the browser's permission: `askToNotify`. */
  desktop: boolean;
}

const KEY = 'hongyan.settings';

const CHOICES: { readonly [K in keyof Settings]: readonly Settings[K][] } = {
  theme: ['system', 'light', 'dark'],
  language: ['zh', 'en'],
  sendKey: ['enter', 'ctrl-enter'],
  sound: [true, false],
  desktop: [false, true],
};

const preferred = (): Settings['language'] => {
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  return spoken.find((tag): tag is Settings['language'] => tag === 'zh' || tag === 'en') ?? 'en';
};

/** Whatever is kept, only what is a choice is taken. */
function read(kept: string | null): Settings {
  let said: Partial<Settings> = {};
  try {
    said = (JSON.parse(kept ?? '{}') ?? {}) as Partial<Settings>;
  } catch {
    // Somebody else's.
  }
  const choose = <K extends keyof Settings>(key: K, otherwise: Settings[K]): Settings[K] =>
    CHOICES[key].find((choice) => choice === said[key]) ?? otherwise;
  return {
    theme: choose('theme', 'system'),
    language: choose('language', preferred()),
    sendKey: choose('sendKey', 'enter'),
    sound: choose('sound', true),
    desktop: choose('desktop', false),
  };
}

const chosen = reactive<Settings>(read(localStorage.getItem(KEY)));

/** Reactive; changed by `choose`. */
export const settings = readonly(chosen);

export function choose<K extends keyof Settings>(key: K, value: Settings[K]): void {
  chosen[key] = value;
  localStorage.setItem(KEY, JSON.stringify(chosen));
}

window.addEventListener('storage', ({ key, newValue }) => {
  if (key === KEY) Object.assign(chosen, read(newValue));
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
