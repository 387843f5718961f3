// The order of one's pins. The wire says only that a conversation is pinned, so the order is kept for this browser, for each person.

import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue';

import type { Id, Known, Room } from '@/core/model';
import { ordered } from '@/core/order';

const prefix = 'hongyan.pins.';
const kept = new Map<string, ShallowRef<readonly Id[]>>();

const parsed = (text: string | null): readonly Id[] => (text ?? '').split(' ').filter(Boolean);

function orderOf(known: Known): ShallowRef<readonly Id[]> {
  const key = prefix + (known.me?.id ?? '');
  let order = kept.get(key);
  if (!order) kept.set(key, (order = shallowRef(parsed(localStorage.getItem(key)))));
  return order;
}

if (typeof window !== 'undefined') {
  window.addEventListener('storage', ({ key, newValue }) => {
    const order = key === null ? undefined : kept.get(key);
    if (order) order.value = parsed(newValue);
  });
}

/** As they were put; those that were not come first, the newest on top. */
export function pins(known: Known, pinned: readonly Room[] = ordered(known).pinned): Room[] {
  const order = orderOf(known).value;
  return [...pinned].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

/** To the place that another one has, which makes way. */
export function movePin(known: Known, id: Id, to: number): void {
  const rest = pins(known).map((room) => room.id);
  const at = rest.indexOf(id);
  if (at < 0 || to < 0 || to >= rest.length) return;
  rest.splice(to, 0, ...rest.splice(at, 1));
  orderOf(known).value = rest;
  localStorage.setItem(prefix + (known.me?.id ?? ''), rest.join(' '));
}

/** The one that is dragged, and the one it is over. */
const dragged = shallowRef<Id | null>(null);
const over = shallowRef<Id | null>(null);

interface Dragging {
  /** On which side of this row the dragged one would come to stand. */
  readonly side: ComputedRef<'above' | 'below' | null>;
  readonly on: Readonly<Record<string, (event: DragEvent) => void>>;
}

/** For a row of the list. */
export function usePinDrag(known: Readonly<{ value: Known }>, room: () => Room): Dragging {
  const placeOf = (id: Id | null): number => pins(known.value).findIndex((pin) => pin.id === id);
  const welcome = (): boolean => dragged.value !== null && placeOf(dragged.value) >= 0 && placeOf(room().id) >= 0;
  function end(): void {
    dragged.value = over.value = null;
  }
  return {
    side: computed(() => {
      if (over.value !== room().id || dragged.value === over.value) return null;
      return placeOf(dragged.value) < placeOf(over.value) ? 'below' : 'above';
    }),
    on: {
      dragstart(event) {
        if (room().own.pinned && event.dataTransfer) {
          event.dataTransfer.effectAllowed = 'copyMove'; // elsewhere it is a link, as every other row
          dragged.value = room().id;
        }
      },
      dragover(event) {
        over.value = welcome() ? room().id : null;
        if (!over.value) return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = 'move';
      },
      dragleave: () => {
        if (over.value === room().id) over.value = null;
      },
      drop(event) {
        if (!welcome()) return;
        event.preventDefault();
        movePin(known.value, dragged.value!, placeOf(room().id));
        end();
      },
      dragend: end,
    },
  };
}
