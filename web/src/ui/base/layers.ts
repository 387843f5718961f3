// What floats lies in layers: Esc and a press outside close the one on top, and focus goes back to where it was.

import { onScopeDispose, watch, type Ref } from 'vue';

import { composing } from './composing';
import { useFocusBack } from './focus';

interface Layer {
  readonly root: () => HTMLElement | null;
  readonly close: () => void;
  /** Whether a press outside closes it. */
  readonly light: () => boolean;
  /** Tab stays in it. */
  readonly traps: boolean;
  /** What opened it: a press there is left to it. */
  readonly opener: Element | null;
}

const layers: Layer[] = [];

/** Whether something floats: then Esc is not for what lies below. */
export const floating = (): boolean => layers.length > 0;

function onKey(event: KeyboardEvent): void {
  const top = layers.at(-1);
  const root = top?.root();
  if (top?.traps && root) trap(root, event);
  if (!top || event.key !== 'Escape' || composing(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  top.close();
}

function onPress(event: PointerEvent): void {
  const top = layers.at(-1);
  if (!top?.light() || !(event.target instanceof Node)) return;
  // A toast lies above everything and belongs to nothing.
  if (event.target instanceof Element && event.target.closest('.toasts')) return;
  if (top.root()?.contains(event.target) || top.opener?.contains(event.target)) return;
  top.close();
}

if (typeof window !== 'undefined') {
  window.addEventListener('keydown', onKey, true);
  window.addEventListener('pointerdown', onPress, true);
}

/** Makes what `root` holds a layer while it is there. */
export function useLayer(
  root: Readonly<Ref<HTMLElement | null>>,
  close: () => void,
  options: { readonly light: () => boolean; readonly traps?: boolean; readonly opener?: () => Element | null },
): void {
  let layer: Layer | null = null;

  const end = (): void => {
    if (layer) layers.splice(layers.indexOf(layer), 1);
    layer = null;
  };

  useFocusBack(root);
  watch(
    root,
    (element) => {
      if (!element) return end();
      if (layer) return;
      layer = { root: () => root.value, close, light: options.light, traps: options.traps ?? false, opener: options.opener?.() ?? null };
      layers.push(layer);
    },
    { flush: 'post' },
  );
  onScopeDispose(end);
}

const reachable = 'a[href],button:not(:disabled),input:not(:disabled),textarea:not(:disabled),select:not(:disabled),[tabindex]:not([tabindex="-1"])';

/** What Tab reaches inside. */
export function stops(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(reachable)].filter((one) => one.offsetParent !== null || one === document.activeElement);
}

/** Keeps Tab inside, also when what had focus has gone, and nothing has it. */
function trap(root: HTMLElement, event: KeyboardEvent): void {
  if (event.key !== 'Tab') return;
  const all = stops(root);
  const first = all[0];
  const last = all.at(-1);
  const active = document.activeElement;
  if (!first || !last) return event.preventDefault();
  const outside = !root.contains(active);
  if (event.shiftKey && (outside || active === first || active === root)) last.focus();
  else if (!event.shiftKey && (outside || active === last)) first.focus();
  else return;
  event.preventDefault();
}
