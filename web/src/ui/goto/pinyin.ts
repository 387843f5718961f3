// How Chinese is spelt. It is much to load, so it comes when somebody types Latin letters for the first time.

import { shallowRef, watch, type Ref, type ShallowRef } from 'vue';

import type { Spell } from '@/core/match';

const loaded = shallowRef<Spell | undefined>();
let loading: Promise<void> | null = null;

function load(): Promise<void> {
  loading ??= import('pinyin-pro').then(
    ({ pinyin }) => {
      const known = new Map<string, readonly string[]>();
      loaded.value = (char) => {
        let spelt = known.get(char);
        if (!spelt) {
          // ü is typed as v.
          const all = pinyin(char, { toneType: 'none', type: 'array', multiple: true, nonZh: 'removed', v: true });
          known.set(char, (spelt = [...new Set(all)]));
        }
        return spelt;
      };
    },
    () => {
      loading = null; // offline: names are still found as they are written
    },
  );
  return loading;
}

/** For `match` and `ranked`; not there until it is needed and has come. */
export function useSpell(query: Readonly<Ref<string>>): Readonly<ShallowRef<Spell | undefined>> {
  watch(query, (typed) => /[a-z]/i.test(typed) && void load(), { immediate: true });
  return loaded;
}
