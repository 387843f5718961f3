// Where one is: the browser's own way back works.

import { readonly, shallowRef, type Ref, type ShallowRef } from 'vue';

import type { Id, Seq } from '@/core/model';

import { conversationRoute, HOME, href, routeOf, type Route } from './route';

export * from './route';

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
