// Where one is, by the hash of the address: the browser's own way back works, and every place has a link.

import { readonly, shallowRef, type Ref, type ShallowRef } from 'vue';

import type { Id, Seq } from '@/core/model';

const PLACES = ['contacts', 'channels', 'saved', 'later', 'threads', 'settings'] as const;

/** Places that are a word and nothing more. */
export type Place = (typeof PLACES)[number];

export type Route =
  | { readonly page: 'home' | Place }
  | { readonly page: 'conversation'; readonly conversation: Id; /** The message to show. */ readonly seq: Seq | null; /** The message whose thread is open. */ readonly thread: Seq | null }
  | { readonly page: 'search'; readonly q: string };

const HOME: Route = { page: 'home' };

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

const current = shallowRef<Route>(routeOf(location.hash));

/** Reactive. Changed by `go`, `back`, links and the browser. */
export const route = readonly(current as Ref<Route>) as Readonly<ShallowRef<Route>>;

/** Whether the step before this one in the browser's history is the list: then leaving a conversation is going back. */
interface Step {
  readonly fromHome?: boolean;
}

function show(): void {
  const next = routeOf(location.hash);
  if (href(next) !== href(current.value)) current.value = next;
}

window.addEventListener('hashchange', show);
window.addEventListener('popstate', show);

export function go(to: Route, how: 'push' | 'replace' = 'push'): void {
  if (href(to) === href(current.value)) return;
  const step: Step = how === 'replace' ? ((history.state as Step | null) ?? {}) : { fromHome: current.value.page === 'home' };
  history[how === 'push' ? 'pushState' : 'replaceState'](step, '', location.pathname + location.search + href(to));
  show();
}

export const open = (conversation: Id, at: { seq?: Seq; thread?: Seq } = {}, how: 'push' | 'replace' = 'push'): void =>
  go(conversationRoute(conversation, at), how);

/** To the list, as the way back of a phone would. */
export function back(): void {
  if ((history.state as Step | null)?.fromHome) history.back();
  else go(HOME, 'replace');
}
