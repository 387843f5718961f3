// What the window is like, as CSS says it.

import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

function useMedia(query: string): Readonly<ShallowRef<boolean>> {
  const media = matchMedia(query);
  const matches = shallowRef(media.matches);
  const change = (): void => void (matches.value = media.matches);
  media.addEventListener('change', change);
  onScopeDispose(() => media.removeEventListener('change', change));
  return matches;
}

/** One pane at a time. */
export const usePhone = (): Readonly<ShallowRef<boolean>> => useMedia('(max-width: 719px)');
/** The drawer has its own place. */
export const useWide = (): Readonly<ShallowRef<boolean>> => useMedia('(min-width: 1200px)');
