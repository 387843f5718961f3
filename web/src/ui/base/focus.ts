// Focus of the keyboard, when something comes and goes.

import { onScopeDispose, watch, type Ref } from 'vue';

function around(element: Element | null): HTMLElement[] {
  const all: HTMLElement[] = [];
  for (let one = element; one && one !== document.body; one = one.parentElement) if (one instanceof HTMLElement) all.push(one);
  return all;
}

/** When `root` goes, focus goes back to where it was before it came, unless a person has taken it elsewhere. */
export function useFocusBack(root: Readonly<Ref<HTMLElement | null>>): void {
  /** What had focus, and what that stood in: it may be gone by then, as a button that is there while the pointer is. */
  let before: readonly HTMLElement[] | null = null;

  function end(): void {
    const active = document.activeElement;
    const there = before ?? [];
    before = null;
    if (active && active !== document.body && !root.value?.contains(active)) return;
    for (const one of there) {
      one.focus({ preventScroll: true });
      if (document.activeElement === one) break;
    }
  }

  watch(
    root,
    (element) => {
      if (element) before ??= around(document.activeElement);
      else end();
    },
    { flush: 'post' },
  );
  onScopeDispose(end);
}
