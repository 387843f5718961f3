// People of other servers who ask to see whether one is there, and those who see it: asked for once, and again when an event says that it is another.

import { computed, inject, onScopeDispose, provide, shallowRef, watch, type ComputedRef, type InjectionKey } from 'vue';

import { useHongyan, type Hongyan } from '@/app/hongyan';
import type { Id } from '@/core/model';
import { useToasts } from '@/ui/base/toasts';

/** Their id is their address. */
export interface Watcher {
  readonly id: Id;
  readonly state: 'asks' | 'sees';
}

export interface Watchers {
  readonly asking: ComputedRef<readonly Watcher[]>;
  readonly seeing: ComputedRef<readonly Watcher[]>;
  /** Who asks sees it from now on. */
  allow(id: Id): Promise<void>;
  /** They do not see it. As nobody can ask in their place it is done when it can no longer be undone; `said` is shown until then. */
  refuse(id: Id, said: string): void;
}

const key: InjectionKey<Watchers> = Symbol('watchers');
const SOON = 200; // several may come at once
const path = (id: Id): string => `v1/me/watchers/${encodeURIComponent(id)}`;

export function watchersOf({ api, known, link }: Pick<Hongyan, 'api' | 'known' | 'link'>): Watchers {
  const toasts = useToasts();
  const all = shallowRef<readonly Watcher[]>([]);
  const refused = shallowRef<ReadonlySet<Id>>(new Set());
  const open = computed(() => link.value.phase === 'open');
  let stale = true;
  let turn = 0;
  let timer = 0;

  async function ask(): Promise<void> {
    clearTimeout(timer);
    const mine = (turn += 1);
    const found = await api.get<{ watchers: readonly Watcher[] }>('v1/me/watchers').catch(() => null);
    if (mine !== turn) return;
    stale = found === null;
    if (found) all.value = found.watchers;
  }

  // Where asking failed it is asked again with the next connection; a snapshot begins everything anew.
  watch(open, (now) => now && stale && void ask(), { immediate: true });
  watch([() => known.value.heard.get('watcher'), () => known.value.me], () => {
    stale = true;
    clearTimeout(timer);
    timer = window.setTimeout(() => open.value && void ask(), SOON);
  });
  onScopeDispose(() => {
    clearTimeout(timer);
    turn += 1;
  });

  const shown = computed(() => all.value.filter(({ id }) => !refused.value.has(id)));
  const without = (ids: ReadonlySet<Id>, id: Id): ReadonlySet<Id> => new Set([...ids].filter((one) => one !== id));
  return {
    asking: computed(() => shown.value.filter(({ state }) => state === 'asks')),
    seeing: computed(() => shown.value.filter(({ state }) => state === 'sees')),
    async allow(id) {
      all.value = all.value.map((one) => (one.id === id ? { ...one, state: 'sees' as const } : one));
      if (!(await toasts.attempt(() => api.put(path(id), undefined)))) await ask();
    },
    refuse(id, said) {
      refused.value = new Set([...refused.value, id]);
      const show = (): void => void (refused.value = without(refused.value, id));
      toasts.later(
        said,
        async () => {
          try {
            await api.remove(path(id));
            await ask();
          } finally {
            show();
          }
        },
        show,
      );
    },
  };
}

/** In the frame, for all that is in it. */
export function provideWatchers(): void {
  provide(key, watchersOf(useHongyan()));
}

export function useWatchers(): Watchers {
  const found = inject(key);
  if (!found) throw new Error('Outside of the frame');
  return found;
}
