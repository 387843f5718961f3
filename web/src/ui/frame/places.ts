// Where the rail, the bottom bar, Ctrl-K and the map of the keyboard lead.

import { Bookmark, Contact, Hash, MessageSquare, Search } from '@lucide/vue';
import type { Component } from 'vue';

import type { Route } from '@/app/router';
import type { Key } from '@/words';

interface PlaceLink {
  readonly route: Route;
  readonly name: Key;
  readonly icon: Component;
  readonly keys: string;
  readonly holds: (route: Route) => boolean;
}

export const places: readonly PlaceLink[] = [
  {
    route: { page: 'home' },
    name: 'frame.messages',
    icon: MessageSquare,
    keys: 'Alt+1',
    holds: ({ page }) => page === 'home' || page === 'conversation',
  },
  { route: { page: 'contacts' }, name: 'frame.contacts', icon: Contact, keys: 'Alt+2', holds: ({ page }) => page === 'contacts' },
  { route: { page: 'channels' }, name: 'frame.channels', icon: Hash, keys: 'Alt+3', holds: ({ page }) => page === 'channels' },
  {
    route: { page: 'saved' },
    name: 'frame.saved',
    icon: Bookmark,
    keys: 'Alt+4',
    holds: ({ page }) => page === 'saved' || page === 'later' || page === 'threads',
  },
  { route: { page: 'search', q: '' }, name: 'frame.search', icon: Search, keys: 'Alt+5', holds: ({ page }) => page === 'search' },
];
