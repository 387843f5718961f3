// What a log-in begins with, asked for at once: what the browser has kept; where that is nothing, what there is, and the newest
// page of the conversation that is open.

import type { Id, Page, Snapshot } from '@/core/model';
import { type Api, LOADING, newestPath } from '@/link/api';
import { type Before, Cache } from '@/link/cache';
import { isLed, tabsOf } from '@/link/tabs';

import type { Session } from '../hongyan';

export interface Early {
  readonly token: string;
  readonly kept: Promise<Before | null>;
  /** These are null where it is told in another way, and where no answer came. */
  readonly snapshot: Promise<Snapshot | null>;
  readonly page: Promise<Page | null>;
}

/** `cache` is null for who keeps nothing. */
export function early(api: Api, cache: Cache | null, { token, user }: Session, place: Id | null): Early {
  const kept = cache && !Cache.isEmpty ? cache.read(user) : Promise.resolve(null);
  const told = kept.then((found) => found !== null || (cache !== null && isLed(tabsOf(user)))); // by the browser, or by the tab that leads
  const ask = <T>(path: string): Promise<T | null> => told.then((is) => (is ? null : api.get<T>(path, { timeout: LOADING }))).catch(() => null);
  return { token, kept, snapshot: ask<Snapshot>('v1/snapshot'), page: place === null ? Promise.resolve(null) : ask<Page>(newestPath(place)) };
}
