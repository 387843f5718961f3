// Files of this server that are known to be there no more, by their ids: as long as a log-in lasts.

import { shallowReactive } from 'vue';

import type { Id } from '@/core/model';

import { duringLogin } from '../room/lasting';

export const goneFiles = duringLogin(() => shallowReactive(new Set<Id>()));

/** Whether the server says that nothing is there; not when it says nothing. */
export function isGone(href: string): Promise<boolean> {
  return fetch(href, { method: 'HEAD', cache: 'no-store', credentials: 'omit' }).then(
    ({ status }) => status === 404,
    () => false,
  );
}
