// The list of conversations. Only the rows in view exist, so ten thousand cost no more than ten.

import { avatar, h, icon, keyed, oneLine, set, sign, write } from './dom.js';
import { plain } from './markdown.js';
import { byRecency, said } from './state.js';
import { picker } from './view-people.js';
import { exact, number, t, when } from './words.js';

const SKELETON_AFTER = 150;
const ROW = 64; // pixels, as in the style sheet
const SPARE = 8; // rows above and below the view, so that Tab always finds the next one

export function listView(app) {
  const search = h('input', { type: 'search', placeholder: t('search'), 'aria-label': t('search'), title: `${t('search')} (Ctrl+K)`, autocomplete: 'off', oninput: () => app.changed() });
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && search.value) event.stopPropagation(); // the browser empties the field
  });
  const rows = h('ul', { class: 'rows' });
  const empty = h('div', { class: 'empty small' });
  const scroll = h('div', { class: 'scroll' }, rows, empty);
  const node = h('section', { class: 'list', 'aria-label': t('messages') },
    h('div', { class: 'list-head' },
      h('label', { class: 'search' }, icon('search', 16), search),
      sign('plus', t('new_conversation'), () => picker(app))),
    scroll);
  scroll.addEventListener('scroll', () => render(), { passive: true });
  new ResizeObserver(() => render()).observe(scroll);
  setTimeout(() => node.classList.add('late'), SKELETON_AFTER);
  const skeleton = Array.from({ length: 7 }, (_, index) => ({ id: `skeleton ${index}`, skeleton: true }));

  let revealed = null;
  let sorted = { of: null, all: [] };
  const everything = () => {
    const { conversations } = app.state;
    if (sorted.of !== conversations) sorted = { of: conversations, all: byRecency(conversations) };
    return sorted.all;
  };

  function render() {
    const wish = search.value.trim().toLowerCase();
    const shown = wish ? everything().filter((conversation) => oneLine(app.titleOf(conversation)).toLowerCase().includes(wish)) : everything();
    showRows(app.ready ? shown : skeleton);
    reveal(shown);
    const words = !app.ready || shown.length ? '' : t(wish ? 'nothing_found' : 'no_conversations');
    if (empty.dataset.words === words) return;
    empty.dataset.words = words;
    empty.replaceChildren(...(words ? [h('p', {}, words), wish ? '' : h('button', { type: 'button', class: 'primary', onclick: () => picker(app) }, t('new_conversation'))] : []));
  }

  /** The conversation that was opened, when it was opened from elsewhere. */
  function reveal(items) {
    if (revealed === app.ui.open || !scroll.clientHeight) return;
    revealed = app.ui.open;
    const top = items.findIndex(({ id }) => id === revealed) * ROW;
    if (top < 0) return;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else scroll.scrollTop = Math.max(scroll.scrollTop, top + ROW - scroll.clientHeight);
  }

  function showRows(items) {
    const from = Math.max(0, Math.min(items.length, Math.floor(scroll.scrollTop / ROW)) - SPARE);
    const until = Math.min(items.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + SPARE);
    rows.style.paddingTop = `${from * ROW}px`;
    rows.style.paddingBottom = `${(items.length - until) * ROW}px`;
    keyed(rows, items.slice(from, until), (item) => item.id, (item) => (item.skeleton ? skeletonRow() : row(app, item)), (item, conversation) => conversation.skeleton || refresh(app, item, conversation));
    [...rows.children].forEach((item, index) => {
      set(item, 'aria-setsize', items.length);
      set(item, 'aria-posinset', from + index + 1);
    });
  }

  return { node, focus: () => search.focus(), render };
}

const skeletonRow = () => h('li', { class: 'skeleton', 'aria-hidden': 'true' }, h('span', { class: 'avatar' }), h('span', { class: 'line' }), h('span', { class: 'line short' }));

function row(app, { id }) {
  const parts = {
    face: h('span', { class: 'face' }), title: h('strong', { class: 'clip' }), time: h('time'), last: h('span', { class: 'clip last' }),
    badge: h('i', { class: 'badge', 'aria-hidden': 'true' }), unread: h('span', { class: 'unseen' }),
  };
  const button = h('button', { type: 'button', class: 'row', onclick: () => app.open(id) }, parts.face,
    h('span', { class: 'row-top' }, parts.title, parts.time), h('span', { class: 'row-under' }, parts.last, parts.badge, parts.unread));
  return Object.assign(h('li', { 'data-conversation': id }, button), { parts, button });
}

function lastWords(app, conversation) {
  const draft = conversation.id === app.ui.open ? null : app.drafts.get(conversation.id);
  if (draft) return [h('span', { class: 'draft' }, `[${t('draft')}] `), plain(draft)];
  const { last } = conversation;
  if (!last) return [];
  const text = plain(said(last.content, t));
  if (conversation.kind === 'direct') return [text];
  return [t('said', { who: last.sender === app.state.me.id ? t('you') : oneLine(app.nameOf(last.sender)), text })];
}

function refresh(app, item, conversation) {
  const { parts, button } = item;
  const title = oneLine(app.titleOf(conversation));
  const peer = app.peerOf(conversation);
  const status = peer ? app.state.presence.get(peer) : null;
  const look = `${title} ${status}`;
  if (item.look !== look) parts.face.replaceChildren(avatar(peer ?? conversation.id, title, { round: Boolean(peer), status: status ?? null }));
  item.look = look;
  write(parts.title, title);
  const time = conversation.last?.time ?? conversation.time;
  write(parts.time, time ? when(time) : '');
  if (time) set(parts.time, 'title', exact(time));
  const words = lastWords(app, conversation);
  const wordsKey = words.map((part) => part.textContent ?? part).join('');
  if (parts.last.textContent !== wordsKey) parts.last.replaceChildren(...words);
  const { unread } = conversation;
  write(parts.badge, unread ? (unread > 99 ? '99+' : String(unread)) : '');
  write(parts.unread, unread ? t('unread_count', { n: number(unread) }) : '');
  set(button, 'aria-current', conversation.id === app.ui.open ? 'true' : null);
}
