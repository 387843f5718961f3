// Pins are put in order by dragging.

import { computed, shallowRef, type ComputedRef } from 'vue';

import type { Hongyan } from '@/app/hongyan';
import type { Id, Room } from '@/core/model';
import { ordered } from '@/core/order';

import { movePin } from './acts';

/** The one that is dragged, and the one it is over. */
const dragged = shallowRef<Id | null>(null);
const over = shallowRef<Id | null>(null);

interface Dragging {
  /** On which side of this row the dragged one would come to stand. */
  readonly side: ComputedRef<'above' | 'below' | null>;
  readonly on: Readonly<Record<string, (event: DragEvent) => void>>;
}

/** For a row of the list. */
export function usePinDrag(hongyan: Hongyan, room: () => Room): Dragging {
  const { known } = hongyan;
  const pinAt = (id: Id | null): number => ordered(known.value).pinned.findIndex((pin) => pin.id === id);
  const welcome = (): boolean => dragged.value !== null && pinAt(dragged.value) >= 0 && pinAt(room().id) >= 0;
  function end(): void {
    dragged.value = over.value = null;
  }
  return {
    side: computed(() => {
      if (over.value !== room().id || dragged.value === over.value) return null;
      return pinAt(dragged.value) < pinAt(over.value) ? 'below' : 'above';
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
        void movePin(hongyan, dragged.value!, pinAt(room().id));
        end();
      },
      dragend: end,
    },
  };
}
