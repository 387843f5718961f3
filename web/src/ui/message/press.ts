// A long press, where there is no pointer that hovers.

const LONG = 450;
const STILL = 10;

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Listeners for an element; `held` is told where. */
export function usePress(held: (place: Place) => void) {
  let timer = 0;
  let from: Place = { x: 0, y: 0 };
  const end = (): void => clearTimeout(timer);
  return {
    pointerdown(event: PointerEvent): void {
      if (event.pointerType !== 'touch') return;
      from = { x: event.clientX, y: event.clientY };
      clearTimeout(timer);
      timer = window.setTimeout(() => held(from), LONG);
    },
    pointermove(event: PointerEvent): void {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > STILL) end();
    },
    pointerup: end,
    pointercancel: end,
  };
}
