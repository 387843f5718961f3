// A list that the server gives in pages: the first is asked for like anything, the others follow it when they are wanted.

import { computed, shallowRef, type ComputedRef, type Ref, type WatchSource } from 'vue';

import { useAsk, type Asked } from './ask';
import { useToasts } from './toasts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: string | null;
}

export interface Paged<T, P> {
  readonly first: Omit<Asked<P>, 'data'> & { readonly data: Readonly<Ref<P | null>> };
  /** Null: not there yet. */
  readonly all: ComputedRef<readonly T[] | null>;
  readonly more: ComputedRef<boolean>;
  readonly busy: ComputedRef<boolean>;
  loadMore(): Promise<void>;
}

/**
 * `on` begins anew, as in `useAsk`: with the first page, or, where it is the `same` list that has changed, with as many as are
 * there. A page that comes after that belongs to nothing and is left out.
 */
export function usePages<T, P extends Page<T> = Page<T>>(
  ask: (from: string | null, signal?: AbortSignal) => Promise<P>,
  on?: WatchSource,
  { delay = 0, same = false } = {},
): Paged<T, P> {
  const asked = useAsk<readonly P[]>(
    async (signal, before) => {
      const many = same ? (before?.length ?? 1) : 1;
      const found: P[] = [];
      for (let from: string | null | undefined = null; from !== undefined && found.length < many; from = found.at(-1)!.next ?? undefined) {
        found.push(await ask(from, signal));
      }
      return found;
    },
    on,
    delay,
  );
  const loading = shallowRef<readonly P[] | null>(null);
  const next = computed(() => asked.data.value?.at(-1)?.next ?? null);
  const busy = computed(() => asked.busy.value || (loading.value !== null && loading.value === asked.data.value));

  async function loadMore(): Promise<void> {
    const before = asked.data.value;
    const from = next.value;
    if (!before || from === null || busy.value) return;
    loading.value = before;
    await useToasts().attempt(async () => {
      const page = await ask(from);
      if (asked.data.value === before) asked.data.value = [...before, page];
    });
    if (loading.value === before) loading.value = null;
  }
  return {
    first: { ...asked, data: computed(() => asked.data.value?.[0] ?? null) },
    all: computed(() => asked.data.value?.flatMap(({ items }) => items) ?? null),
    more: computed(() => next.value !== null),
    busy,
    loadMore,
  };
}
