// Places, and the hash of the address that each has: every one can be linked to.

import type { Id, Seq } from '@/core/model';

const PLACES = ['contacts', 'channels', 'saved', 'later', 'threads', 'settings'] as const;

/** Places that are a word and nothing more. */
export type Place = (typeof PLACES)[number];

export type Route =
  | { readonly page: 'home' | Place }
  | { readonly page: 'conversation'; readonly conversation: Id; /** The message to show. */ readonly seq: Seq | null; /** The message whose thread is open. */ readonly thread: Seq | null }
  | { readonly page: 'search'; readonly q: string };

export const HOME: Route = { page: 'home' };

export function conversationRoute(conversation: Id, at: { seq?: Seq; thread?: Seq } = {}): Route {
  return { page: 'conversation', conversation, seq: at.seq ?? null, thread: at.thread ?? null };
}

/** The conversation that is open. */
export const placeOf = (route: Route): Id | null => (route.page === 'conversation' ? route.conversation : null);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const number = (text: string | undefined): Seq | null => (text && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null);

/** What does not exist is home. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [page = '', id, ...rest] = path.split('/');
  if (page === 'c' && id) {
    const thread = rest[0] === 'thread' ? number(rest[1]) : null;
    return { page: 'conversation', conversation: decoded(id), seq: thread === null ? number(rest[0]) : null, thread };
  }
  if (page === 'search') return { page, q: new URLSearchParams(query).get('q') ?? '' };
  return (PLACES as readonly string[]).includes(page) ? { page: page as Place } : HOME;
}

/** For `<a :href>`; with `location.href` before it, a link to give away. */
export function href(route: Route): string {
  if (route.page === 'home') return '#/';
  if (route.page === 'search') return route.q ? `#/search?${new URLSearchParams({ q: route.q })}` : '#/search';
  if (route.page !== 'conversation') return `#/${route.page}`;
  const rest = route.thread !== null ? `/thread/${route.thread}` : route.seq !== null ? `/${route.seq}` : '';
  return `#/c/${encodeURIComponent(route.conversation)}${rest}`;
}
