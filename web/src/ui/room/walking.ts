// Through the messages by the keyboard: Tab reaches one of them, the arrows the others.

import type { VirtualizerHandle } from 'virtua/vue';
import { nextTick, shallowRef, type Ref, type ShallowRef } from 'vue';

import type { Seq } from '@/core/model';
import { frames } from '@/ui/base/frames';

import { seqOf, type Row } from './timeline';

interface Walking {
  /** Where one is; null: at the last. */
  readonly focused: ShallowRef<Seq | null>;
  onFocus(event: FocusEvent): void;
  onKey(event: KeyboardEvent): void;
}

/** The message that has focus, or something in it. */
const seqAt = (target: EventTarget | null): Seq | null => Number((target as Element | null)?.closest<HTMLElement>('[data-seq]')?.dataset['seq']) || null;

export function useWalking(
  scroller: Readonly<Ref<HTMLElement | null>>,
  list: Readonly<Ref<VirtualizerHandle | null>>,
  rows: Readonly<Ref<readonly Row[]>>,
  leave: () => void,
): Walking {
  const focused = shallowRef<Seq | null>(null);

  async function to(seq: Seq | null): Promise<void> {
    if (seq === null) return;
    focused.value = seq;
    list.value?.scrollToIndex(rows.value.findIndex((row) => seqOf(row) === seq), { align: 'nearest' });
    await nextTick();
    const row = (): HTMLElement | null => scroller.value?.querySelector(`[data-seq="${seq}"]`) ?? null;
    if (!row()) await frames(2); // it is drawn when the list has come there
    row()?.focus({ preventScroll: true });
  }

  return {
    focused,
    onFocus: (event) => void (focused.value = seqAt(event.target) ?? focused.value),
    onKey(event) {
      const now = seqAt(event.target);
      if (now === null || event.altKey || event.ctrlKey || event.metaKey) return;
      const all = rows.value.filter((row) => row.kind === 'message');
      const at = all.findIndex((row) => seqOf(row) === now);
      const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
      if (event.key === 'Escape' || (next !== undefined && next >= all.length)) leave();
      else if (next !== undefined) void to(seqOf(all[Math.max(0, next)]));
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
