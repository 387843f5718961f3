// A few words at the foot of the window about what was just done, for five seconds, with a way back where there is one.

import { shallowRef } from 'vue';

import { Problem, Unreachable } from '@/link/api';
import { t } from '@/words';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly failed: boolean;
  readonly act: { readonly label: string; readonly run: () => void } | null;
}

const stay = 5000;
const most = 3;

export const toasts = shallowRef<readonly Toast[]>([]);
/** What happens when one goes. */
const ends = new Map<number, () => unknown>();
let next = 1;

function show(text: string, failed: boolean, act: Toast['act'], onEnd?: () => unknown): number {
  const id = next++;
  setTimeout(() => dismiss(id), failed ? stay * 1.6 : stay);
  ends.set(id, () => onEnd?.());
  toasts.value = [...toasts.value, { id, text, failed, act }];
  for (const old of toasts.value.slice(0, -most)) dismiss(old.id);
  return id;
}

/** It goes; what waited for its end happens. */
export function dismiss(id: number): unknown {
  const end = ends.get(id);
  ends.delete(id);
  toasts.value = toasts.value.filter((one) => one.id !== id);
  return end?.();
}

/** All of them go: the page is left, or who is here is about to log out. */
export const finish = (): Promise<unknown> => Promise.all([...ends.keys()].map(dismiss));

/** As if they had never been: who could have done it is not here any more. */
export function drop(): void {
  ends.clear();
  toasts.value = [];
}

/** What a person is told of something that went wrong: the server's own words where it has said any. */
export function wrong(error: unknown): string {
  if (error instanceof Unreachable) return t('base.unreachable');
  return error instanceof Problem && error.detail ? error.detail : t('base.failed');
}

interface Toasts {
  say(text: string): void;
  /** Something happened, and there is a place to see it. */
  offer(text: string, label: string, run: () => void): void;
  /** Something was refused, or the server cannot be reached. */
  fail(error: unknown): void;
  /** It is done already, and `back` takes it back. */
  undo(text: string, back: () => unknown): void;
  /** It is done when the five seconds are over, or the page is left: for what cannot be taken back. */
  later(text: string, act: () => unknown, undone?: () => unknown): void;
  /** Runs it, and tells if it fails. True when it has not. */
  attempt(act: () => Promise<unknown>): Promise<boolean>;
}

const service: Toasts = {
  say: (text) => void show(text, false, null),
  offer(text, label, run) {
    const id: number = show(text, false, {
      label,
      run: () => {
        dismiss(id);
        run();
      },
    });
  },
  fail: (error) => void show(wrong(error), true, null),
  undo(text, back) {
    const id: number = show(text, false, {
      label: t('base.undo'),
      run: () => {
        dismiss(id);
        void service.attempt(async () => back());
      },
    });
  },
  later(text, act, undone) {
    let off = false;
    const id: number = show(
      text,
      false,
      {
        label: t('base.undo'),
        run: () => {
          off = true;
          dismiss(id);
          undone?.();
        },
      },
      () => off || service.attempt(async () => act()),
    );
  },
  async attempt(act) {
    try {
      await act();
      return true;
    } catch (error) {
      service.fail(error);
      return false;
    }
  },
};

if (typeof window !== 'undefined') {
  window.addEventListener('pagehide', () => void finish());
}

export const useToasts = (): Toasts => service;
