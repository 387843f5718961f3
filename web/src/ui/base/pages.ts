// A list that the server gives in pages: the first is asked for like anything, the others follow it when they are wanted.

import { computed, shallowRef, type ComputedRef, type WatchSource } from 'vue';

import { useAsk, type Asked } from './ask';
import { useToasts } from './toasts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: string | null;
}

export interface Paged<T, P> {
  readonly first: Asked<P>;
  /** Null: not there yet. */
  readonly all: ComputedRef<readonly T[] | null>;
  readonly more: ComputedRef<boolean>;
  readonly busy: ComputedRef<boolean>;
  loadMore(): Promise<void>;
}

/** `on` begins anew, as in `useAsk`. A page that comes after that belongs to nothing and is left out. */
export function usePages<T, P extends Page<T> = Page<T>>(ask: (from: string | null, signal?: AbortSignal) => Promise<P>, on?: WatchSource, delay = 0): Paged<T, P> {
  const first = useAsk((signal) => ask(null, signal), on, delay);
  const rest = shallowRef<{ readonly of: P; readonly pages: readonly P[] } | null>(null);
  const loading = shallowRef<P | null>(null);

  const pages = computed(() => {
    const of = first.data.value;
    return of ? [of, ...(rest.value?.of === of ? rest.value.pages : [])] : null;
  });
  const all = computed(() => pages.value?.flatMap(({ items }) => items) ?? null);
  const next = computed(() => pages.value?.at(-1)?.next ?? null);
  const busy = computed(() => first.busy.value || (loading.value !== null && loading.value === first.data.value));

  async function loadMore(): Promise<void> {
    const of = first.data.value;
    const from = next.value;
    if (!of || from === null || busy.value) return;
    loading.value = of;
    await useToasts().attempt(async () => {
      const page = await ask(from);
      if (first.data.value === of) rest.value = { of, pages: [...(pages.value?.slice(1) ?? []), page] };
    });
    if (loading.value === of) loading.value = null;
  }
  return { first, all, more: computed(() => next.value !== null), busy, loadMore };
}
