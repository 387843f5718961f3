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

/** Listened to once, for all of them: pages have hundreds. */
function tipped(event: globalThis.Event): Element | null {
  let element = event.target instanceof Element ? event.target : null;
  while (element && !tips.has(element)) element = element.parentElement;
  return element;
}

let over: Element | null = null;

function enter(event: PointerEvent): void {
  const element = tipped(event);
  if (element === over) return;
  if (over) hide();
  over = element;
  if (!element || event.pointerType === 'touch') return;
  if (performance.now() < warm) show(element);
  else timer = window.setTimeout(() => show(element), rest);
}

function leave(event: PointerEvent): void {
  if (event.relatedTarget !== null) return; // to something else in the page: it is entered
  hide();
  over = null;
}

function focus(event: FocusEvent): void {
  const element = tips.has(event.target as Element) ? (event.target as Element) : null;
  if (element?.matches(':focus-visible')) show(element);
}

if (typeof document !== 'undefined') {
  document.addEventListener('pointerover', enter, true);
  document.addEventListener('pointerout', leave, true);
  document.addEventListener('pointerdown', (event) => tipped(event) && hide(), true);
  document.addEventListener('focusin', focus, true);
  document.addEventListener('focusout', (event) => tips.has(event.target as Element) && hide(), true);
}

const asTip = (value: Tip | string): Tip => (typeof value === 'string' ? { text: value } : value);

export const vTip: Directive<HTMLElement, Tip | string> = {
  mounted: (element, { value }) => void tips.set(element, asTip(value)),
  updated(element, { value }) {
    tips.set(element, asTip(value));
    if (tip.value?.anchor === element) show(element);
  },
  unmounted(element) {
    if (tip.value?.anchor === element) hide();
  },
};
