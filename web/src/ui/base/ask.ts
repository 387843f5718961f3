// Asking the server for something a screen shows: what came, what went wrong, and again. The newest question wins.

import { onScopeDispose, shallowRef, watch, type ShallowRef, type WatchSource } from 'vue';

export interface Asked<T> {
  /** Null until the first answer; while it is asked again the last one stays. */
  readonly data: ShallowRef<T | null>;
  readonly error: Readonly<ShallowRef<unknown>>;
  readonly busy: Readonly<ShallowRef<boolean>>;
  again(): Promise<void>;
}

/** `on` asks again when it changes, after `delay` without another change; `ask` is given the answer that is there. */
export function useAsk<T>(ask: (signal: AbortSignal, before: T | null) => Promise<T>, on?: WatchSource, delay = 0): Asked<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<unknown>(null);
  const busy = shallowRef(false);
  let current: AbortController | null = null;
  let timer = 0;

  async function again(): Promise<void> {
    current?.abort();
    const mine = (current = new AbortController());
    busy.value = true;
    try {
      const answer = await ask(mine.signal, data.value);
      if (current !== mine) return;
      data.value = answer;
      error.value = null;
    } catch (problem) {
      if (current === mine) error.value = problem;
    } finally {
      if (current === mine) busy.value = false;
    }
  }

  void again();
  if (on) {
    watch(on, () => {
      clearTimeout(timer);
      current?.abort();
      current = null;
      busy.value = true; // what is there answers another question
      timer = window.setTimeout(() => void again(), delay);
    });
  }
  onScopeDispose(() => {
    clearTimeout(timer);
    current?.abort();
    current = null;
  });
  return { data, error, busy, again };
}
