// One menu at a time, for a button as for a right click: `openMenu(event or element, items)`.

import { shallowRef, type Component } from 'vue';

import type { Align, Anchor, Side } from './place';

export interface MenuItem {
  readonly label: string;
  readonly icon?: Component | undefined;
  /** As it is pressed: `Ctrl+K`. Shown only. */
  readonly keys?: string | undefined;
  readonly hint?: string | undefined;
  readonly danger?: boolean | undefined;
  readonly disabled?: boolean | undefined;
  /** Given: it is one of several states, and this one holds or does not. */
  readonly checked?: boolean | undefined;
  readonly act?: (() => unknown) | undefined;
  readonly items?: readonly MenuEntry[] | undefined;
}
/** `null` draws a line. */
export type MenuEntry = MenuItem | { readonly heading: string } | null;

interface OpenMenu {
  readonly anchor: Anchor;
  readonly items: readonly MenuEntry[];
  readonly label: string;
  readonly side: Side;
  readonly align: Align;
}

export const menu = shallowRef<OpenMenu | null>(null);

export function openMenu(
  at: Anchor | MouseEvent,
  items: readonly MenuEntry[],
  options: { readonly label?: string; readonly side?: Side; readonly align?: Align } = {},
): void {
  let anchor: Anchor;
  if (at instanceof MouseEvent) {
    // From the keyboard a click and a context menu come without a place: then it is the element.
    const element = (at.currentTarget ?? at.target) as Element;
    anchor = at.type === 'contextmenu' && (at.clientX || at.clientY) ? { x: at.clientX, y: at.clientY } : element;
  } else {
    anchor = at;
  }
  if (menu.value?.anchor === anchor) {
    menu.value = null;
    return;
  }
  menu.value = { anchor, items, label: options.label ?? '', side: options.side ?? 'bottom', align: options.align ?? 'start' };
}

export function closeMenu(): void {
  menu.value = null;
}
