// A finger that goes from the edge to the right: back.

import { onBeforeUnmount, watch, type Ref } from 'vue';

const edge = 40;
const enough = 80;

export function useSwipeBack(pane: Readonly<Ref<HTMLElement | null>>, back: () => void): void {
  let begin: { x: number; y: number } | null = null;
  let going = false;

  const shift = (element: HTMLElement, by: number): void => {
    element.style.transform = by ? `translateX(${by}px)` : '';
  };
  const start = ({ touches }: TouchEvent): void => {
    const touch = touches[0];
    begin = touch && touches.length === 1 && touch.clientX < edge ? { x: touch.clientX, y: touch.clientY } : null;
    going = false;
  };
  const move = (event: TouchEvent): void => {
    const touch = event.touches[0];
    if (!begin || !touch) return;
    const x = touch.clientX - begin.x;
    if (!going && Math.abs(touch.clientY - begin.y) > Math.abs(x)) begin = null;
    else if (x > 8) {
      going = true;
      event.preventDefault();
      shift(event.currentTarget as HTMLElement, x);
    }
  };
  const end = (event: TouchEvent): void => {
    const touch = event.changedTouches[0];
    const gone = going && begin && touch ? touch.clientX - begin.x : 0;
    begin = null;
    going = false;
    shift(event.currentTarget as HTMLElement, 0);
    if (gone > enough) back();
  };

  const off = (element: HTMLElement | null): void => {
    element?.removeEventListener('touchstart', start);
    element?.removeEventListener('touchmove', move);
    element?.removeEventListener('touchend', end);
    element?.removeEventListener('touchcancel', end);
  };
  watch(
    pane,
    (element, was) => {
      off(was ?? null);
      element?.addEventListener('touchstart', start, { passive: true });
      element?.addEventListener('touchmove', move, { passive: false });
      element?.addEventListener('touchend', end);
      element?.addEventListener('touchcancel', end);
    },
    { immediate: true, flush: 'post' },
  );
  onBeforeUnmount(() => off(pane.value));
}
