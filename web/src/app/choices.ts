// What a person may choose for this browser, and what is kept of it. Nothing here is reactive: `early.ts` reads it too.

export interface Settings {
  theme: 'light' | 'dark' | 'system';
  language: 'zh' | 'en';
  /** What sends a message; the other one makes a new line. */
  sendKey: 'enter' | 'ctrl-enter';
  sound: boolean;
  /** Also needs the browser's permission: `askToNotify`. */
  desktop: boolean;
}

export type Language = Settings['language'];

export const KEY = 'hongyan.settings';

const CHOICES: { readonly [K in keyof Settings]: readonly Settings[K][] } = {
  theme: ['system', 'light', 'dark'],
  language: ['zh', 'en'],
  sendKey: ['enter', 'ctrl-enter'],
  sound: [true, false],
  desktop: [false, true],
};

const preferred = (): Language => {
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  return spoken.find((tag): tag is Language => tag === 'zh' || tag === 'en') ?? 'en';
};

/** Whatever is kept, only what is a choice is taken. */
export function chosenOf(kept: string | null): Settings {
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

export const readChosen = (): Settings => chosenOf(localStorage.getItem(KEY));
