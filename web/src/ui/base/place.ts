// Where something floats: beside its anchor, inside the window.

interface Point {
  readonly x: number;
  readonly y: number;
}
/** An element, or the place where somebody pressed. */
export type Anchor = Element | Point;
export type Side = 'top' | 'bottom' | 'left' | 'right';
export type Align = 'start' | 'center' | 'end';

const edge = 8;
const gap = 4;

/** `size` is that of what floats. It goes to the other side where there is more room, and never over the edge. */
export function place(anchor: Anchor, size: { width: number; height: number }, side: Side, align: Align, window: { innerWidth: number; innerHeight: number }): Point {
  const at = anchor instanceof Element ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  const upright = side === 'top' || side === 'bottom';
  const room = upright ? window.innerHeight : window.innerWidth;
  const begin = upright ? at.top : at.left;
  const end = upright ? at.bottom : at.right;
  const need = upright ? size.height : size.width;
  const before = begin - gap - need;
  const after = end + gap;
  const wantsBefore = side === 'top' || side === 'left';
  const fits = wantsBefore ? before >= edge : after + need <= room - edge;
  const along = fits || (wantsBefore ? room - end < begin : begin < room - end) ? wantsBefore : !wantsBefore;

  const crossBegin = upright ? at.left : at.top;
  const crossEnd = upright ? at.right : at.bottom;
  const crossNeed = upright ? size.width : size.height;
  const across = align === 'start' ? crossBegin : align === 'end' ? crossEnd - crossNeed : (crossBegin + crossEnd - crossNeed) / 2;

  const inside = (value: number, length: number, total: number): number => Math.max(edge, Math.min(value, total - length - edge));
  const main = inside(along ? before : after, need, room);
  const cross = inside(across, crossNeed, upright ? window.innerWidth : window.innerHeight);
  return upright ? { x: cross, y: main } : { x: main, y: cross };
}
