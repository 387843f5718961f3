// How wide the list is. Kept for this browser.

import { shallowRef } from 'vue';

export const narrowest = 220;
export const widest = 420;
const usual = 280;
const key = 'hongyan.list-width';

const inside = (value: number): number => Math.round(Math.max(narrowest, Math.min(value || usual, widest)));

export const listWidth = shallowRef(inside(Number(localStorage.getItem(key))));

export function setListWidth(value: number): void {
  listWidth.value = inside(value);
  localStorage.setItem(key, String(listWidth.value));
}

export const resetListWidth = (): void => setListWidth(usual);
