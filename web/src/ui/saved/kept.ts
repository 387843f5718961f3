// A list of what one keeps, newest first, that is asked anew when an event tells that it has changed.

import { useHongyan } from '@/app/hongyan';
import { usePages, type Page, type Paged } from '@/ui/base/pages';

export function useKept<T extends { readonly place: number }>(path: string, name: string, changed: readonly string[]): Paged<T, Page<T>> {
  const { api, known } = useHongyan();
  return usePages<T>(
    async (before, signal) => {
      const query = new URLSearchParams({ limit: '50', ...(before === null ? {} : { before }) });
      const answer = await api.get<Record<string, unknown>>(`${path}?${query}`, signal ? { signal } : {});
      const items = answer[name] as readonly T[];
      return { items, next: answer['more'] === true ? String(items.at(-1)?.place) : null };
    },
    () => changed.map((type) => known.value.heard.get(type) ?? 0).join(' '),
    { delay: 200, same: true },
  );
}
