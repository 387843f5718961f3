// The edge between list and conversation: drag it, or move it with the arrow keys; a double click sets it back.

import { h, set } from './dom.js';
import { t } from './words.js';

const KEPT = 'hongyan.list';
const [LEAST, USUAL, MOST, STEP] = [220, 280, 420, 20];

export function divider() {
  const node = h('div', { class: 'divide', role: 'separator', tabindex: '0', 'aria-orientation': 'vertical', 'aria-label': t('list_width'), title: t('list_width'), 'aria-valuemin': LEAST, 'aria-valuemax': MOST });
  let width = USUAL;
  const show = (wish) => {
    width = Math.round(Math.min(MOST, Math.max(LEAST, wish || USUAL)));
    document.documentElement.style.setProperty('--list', `${width}px`);
    set(node, 'aria-valuenow', width);
  };
  const keep = (wish) => {
    show(wish);
    localStorage.setItem(KEPT, width);
  };
  node.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    node.setPointerCapture(event.pointerId);
    const start = width - event.clientX;
    const move = ({ clientX }) => show(start + clientX);
    node.addEventListener('pointermove', move);
    node.addEventListener('lostpointercapture', () => {
      node.removeEventListener('pointermove', move);
      keep(width);
    }, { once: true });
  });
  node.addEventListener('dblclick', () => keep(USUAL));
  node.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    keep(width + step);
  });
  show(Number(localStorage.getItem(KEPT)));
  return node;
}
