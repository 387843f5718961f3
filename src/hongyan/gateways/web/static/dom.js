// Building the page out of nodes. Text always enters as a text node, so nothing anybody writes can become markup.

/** An element. `on…` attributes become listeners, `true` an empty attribute, `false`, null and undefined none. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat(9).filter((child) => child != null && child !== false));
  return node;
}

export function set(node, name, value) {
  if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
  else if (value === false || value == null) node.removeAttribute(name);
  else if (name === 'value') node.value = value;
  else if (node.getAttribute(name) !== String(value === true ? '' : value)) node.setAttribute(name, value === true ? '' : value);
}

/** Change the text only when it differs, so that live regions and selections are left alone. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Make the children of `parent` those of `items`, reusing nodes by key. `make` builds, `update` refreshes. */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const focused = document.activeElement;
  const wanted = new Set(items.map(keyOf));
  const old = new Map();
  // What goes, goes first: then the rest stays where it is, and only what changed its place is moved.
  for (const node of [...parent.children]) {
    if (wanted.has(node.hongyanKey) && !old.has(node.hongyanKey)) old.set(node.hongyanKey, node);
    else node.remove();
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    old.delete(key);
    if (!node) {
      node = make(item);
      node.hongyanKey = key;
    }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Lucide (ISC licence), drawn with 1.5 px strokes.
const ICONS = {
  messages: 'M7.9 20A9 9 0 1 0 4 16.1L2 22Z',
  plus: 'M5 12h14M12 5v14',
  search: 'M19 11a8 8 0 1 1-16 0 8 8 0 0 1 16 0ZM21 21l-4.3-4.3',
  light: 'M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM12 2v2M12 20v2M4.93 4.93l1.41 1.41M17.66 17.66l1.41 1.41M2 12h2M20 12h2M6.34 17.66l-1.41 1.41M19.07 4.93l-1.41 1.41',
  dark: 'M12 3a6 6 0 0 0 9 9 9 9 0 1 1-9-9Z',
  system: 'M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2ZM8 21h8M12 17v4',
  language: 'm5 8 6 6M4 14l6-6 2-3M2 5h12M7 2h1M22 22l-5-10-5 10M14 18h6',
  logout: 'M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5-5-5M21 12H9',
  send: 'm22 2-7 20-4-9-9-4ZM22 2 11 13',
  back: 'm12 19-7-7 7-7M19 12H5',
  close: 'M18 6 6 18M6 6l12 12',
  check: 'M20 6 9 17l-5-5',
  read: 'M18 6 7 17l-5-5M22 10l-7.5 7.5L13 16',
  clock: 'M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0ZM12 6v6l4 2',
  alert: 'M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0ZM12 8v4M12 16h.01',
  edit: 'M17 3a2.85 2.83 0 1 1 4 4L7.5 20.5 2 22l1.5-5.5ZM15 5l4 4',
  members: 'M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M13 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM22 21v-2a4 4 0 0 0-3-3.87M16 3.13a4 4 0 0 1 0 7.75',
  add: 'M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M13 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM19 8v6M22 11h-6',
  down: 'M12 5v14M19 12l-7 7-7-7',
  compare: 'M22 12h-4l-3 9L9 3l-3 9H2',
  key: 'M5 11h14a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM7 11V7a5 5 0 0 1 10 0v4',
};

/** The sign of the house: one wild goose. */
export function mark() {
  return svg('svg', { class: 'mark', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('rect', { width: 32, height: 32, rx: 8 }), svg('path', { d: 'M4 13c5-3 9-1 12 5 3-6 7-8 12-5-5 0-9 3-12 9-3-6-7-9-12-9z' }));
}

export function icon(name, size = 20) {
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true' }, svg('path', { d: ICONS[name] }));
}

/** A button that is only a sign: it always has a name for screen readers and a tooltip. */
export function sign(name, label, onclick, attributes = {}) {
  return h('button', { type: 'button', class: 'sign', 'aria-label': label, title: label, onclick, ...attributes }, icon(name));
}

/** Names and titles come from people: drop what would turn the line's direction or break it. */
export const oneLine = (text) => String(text ?? '').replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const letters = (text) => [...graphemes.segment(text)].map((part) => part.segment);

/** One or two signs for a name: the last two characters of a Chinese one, the initials of a Latin one. */
export function initials(name) {
  const whole = oneLine(name);
  const clean = whole.replace(/\s*[（(].*$/u, '') || whole; // what stands in brackets is no part of a name
  if (/[\u2e80-\u9fff\uac00-\ud7af\u{20000}-\u{3ffff}]/u.test(clean)) return letters(clean.replace(/[\s\d\p{P}]+$/u, '')).slice(-2).join('');
  const words = clean.split(/[\s.\-_]+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => letters(word)[0]).join('').toUpperCase() || '·';
}

/** One of twelve tints, the same for an id everywhere: FNV-1a, then MurmurHash3's last step, because short ids differ in few bits. */
export function tint(id) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 12;
}

export function avatar(id, name, { round = true, status } = {}) {
  const label = initials(name);
  return h('span', { class: `avatar tint-${tint(id)} ${round ? 'person' : 'many'} ${letters(label).length < 2 ? 'single' : ''}`, 'aria-hidden': 'true' },
    label, status ? h('i', { class: `dot ${status}` }) : null);
}

export function toast(text, kind = '') {
  const box = document.getElementById('toasts');
  const node = h('div', { class: `toast ${kind}` }, text);
  box.append(node);
  // Shown anew each time, so that it lies above a dialog that was opened since.
  if (box.matches(':popover-open')) box.hidePopover();
  box.showPopover();
  while (box.childElementCount > 3) box.firstElementChild.remove();
  setTimeout(() => {
    node.remove();
    if (!box.childElementCount && box.matches(':popover-open')) box.hidePopover();
  }, 6000);
}

/** Tell screen readers, and keep the region short. */
export function announce(text) {
  const region = document.getElementById('announce');
  region.append(h('span', {}, text, ' '));
  while (region.childElementCount > 5) region.firstElementChild.remove();
}
