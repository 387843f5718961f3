// `v-tip`: a few words beside what the pointer rests on or focus has come to by the keyboard.

import { shallowRef, type Directive } from 'vue';

import type { Side } from './place';

interface Tip {
  readonly text: string;
  readonly keys?: string | undefined;
  readonly side?: Side | undefined;
}

export const tip = shallowRef<(Tip & { readonly anchor: Element }) | null>(null);

const rest = 400;
const tips = new WeakMap<Element, Tip>();
let timer = 0;
/** Until when the next one comes at once: somebody goes along a row of signs. */
let warm = 0;

function show(element: Element): void {
  const said = tips.get(element);
  if (said?.text && element.isConnected) tip.value = { ...said, anchor: element };
}

function hide(): void {
  clearTimeout(timer);
  if (tip.value) warm = performance.now() + rest;
  tip.value = null;
}

function enter(event: Event): void {
  if ((event as PointerEvent).pointerType === 'touch') return;
  const element = event.currentTarget as Element;
  clearTimeout(timer);
  if (performance.now() < warm) show(element);
  else timer = window.setTimeout(() => show(element), rest);
}

function focus(event: Event): void {
  const element = event.currentTarget as Element;
  if (element.matches(':focus-visible')) show(element);
}

const asTip = (value: Tip | string): Tip => (typeof value === 'string' ? { text: value } : value);

export const vTip: Directive<HTMLElement, Tip | string> = {
  mounted(element, { value }) {
    tips.set(element, asTip(value));
    element.addEventListener('pointerenter', enter);
    element.addEventListener('pointerleave', hide);
    element.addEventListener('pointerdown', hide);
    element.addEventListener('focus', focus);
    element.addEventListener('blur', hide);
  },
  updated(element, { value }) {
    tips.set(element, asTip(value));
    if (tip.value?.anchor === element) show(element);
  },
  unmounted(element) {
    if (tip.value?.anchor === element) hide();
  },
};
