// A list that the server gives in pages, newest first, and that is asked anew when an event tells that it has changed.

import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { useAsk } from '@/ui/base/ask';
import { useToasts } from '@/ui/base/toasts';

interface Answer<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

export interface Paged<T> {
  /** Null: not there yet. */
  readonly all: ComputedRef<readonly T[] | null>;
  readonly error: Readonly<Ref<unknown>>;
  readonly more: Readonly<Ref<boolean>>;
  again(): Promise<void>;
  loadMore(): Promise<void>;
}

export function usePages<T extends { readonly place: number }>(path: string, name: string, changed: readonly string[]): Paged<T> {
  const { api, known } = useHongyan();
  const page = async (before: number | null, signal?: AbortSignal): Promise<Answer<T>> => {
    const query = new URLSearchParams({ limit: '50', ...(before === null ? {} : { before: String(before) }) });
    const answer = await api.get<Record<string, unknown>>(`${path}?${query}`, signal ? { signal } : {});
    return { items: answer[name] as readonly T[], more: answer['more'] === true };
  };
  const first = useAsk((signal) => page(null, signal), () => changed.map((type) => known.value.heard.get(type) ?? 0).join(' '), 200);
  const rest = shallowRef<readonly T[]>([]);
  const more = shallowRef(false);
  watch(first.data, (answer) => {
    rest.value = [];
    more.value = answer?.more ?? false;
  });
  const all = computed(() => (first.data.value ? [...first.data.value.items, ...rest.value] : null));

  async function loadMore(): Promise<void> {
    await useToasts().attempt(async () => {
      const next = await page(all.value?.at(-1)?.place ?? null);
      rest.value = [...rest.value, ...next.items];
      more.value = next.more;
    });
  }
  return { all, error: first.error, more, again: first.again, loadMore };
}
