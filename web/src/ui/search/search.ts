// What the search answers, and the filters in what is typed.

import type { Amended, Content, Event, Id } from '@/core/model';
import type { Api } from '@/link/api';
import type { Page } from '@/ui/base/pages';

export type Order = 'time' | 'relevance';

export interface Hit {
  readonly event: Event<Content>;
  readonly amended: Amended | null;
  readonly title: string | null;
  readonly snippet: {
    readonly text: string;
    /** In code points. */
    readonly ranges: readonly (readonly [number, number])[];
    readonly before: boolean;
    readonly after: boolean;
  };
}

export interface Found extends Page<Hit> {
  /** False: the index does not hold the newest yet. */
  readonly complete: boolean;
}

export async function searchMessages(api: Api, q: string, order: Order, page: string | null, signal?: AbortSignal): Promise<Found> {
  const query = new URLSearchParams({ q, order, limit: '30', ...(page ? { page } : {}) });
  const { hits, next, complete } = await api.get<{ hits: readonly Hit[]; next: string | null; complete: boolean }>(`v1/search?${query}`, signal ? { signal } : {});
  return { items: hits, next, complete };
}

export type Filter = 'from' | 'in' | 'before' | 'after' | 'has';

/** `from:"Li Hua"` as it is typed; a value with spaces stands in quotes. */
const written = (filter: Filter, value: Id | string): string => `${filter}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`;

const pattern = (filter: Filter): RegExp => new RegExp(`(^|\\s)${filter}[:：](?:"([^"]*)"|(\\S*))`, 'i');

/** The first of this kind. */
export function filterOf(q: string, filter: Filter): string | null {
  const found = pattern(filter).exec(q);
  return found ? (found[2] ?? found[3] ?? '') || null : null;
}

/** In place of the one that is there; null takes it away. */
export function withFilter(q: string, filter: Filter, value: string | null): string {
  const rest = q.replace(pattern(filter), ' ').replace(/\s+/g, ' ').trim();
  return value === null ? rest : `${rest} ${written(filter, value)}`.trim();
}
