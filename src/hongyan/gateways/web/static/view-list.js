// The list of conversations.

import { avatar, h, icon, keyed, oneLine, set, sign, write } from './dom.js';
import { plain } from './markdown.js';
import { byRecency } from './state.js';
import { picker } from './view-people.js';
import { exact, number, t, when } from './words.js';

const SKELETON_AFTER = 150;

export function listView(app) {
  const search = h('input', { type: 'search', placeholder: t('search'), 'aria-label': t('search'), title: `${t('search')} (Ctrl+K)`, autocomplete: 'off', oninput: () => app.changed() });
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && search.value) event.stopPropagation(); // the browser empties the field
  });
  const rows = h('ul', { class: 'rows' });
  const empty = h('div', { class: 'empty small' });
  const node = h('section', { class: 'list', 'aria-label': t('messages') },
    h('div', { class: 'list-head' },
      h('label', { class: 'search' }, icon('search', 16), search),
      sign('plus', t('new_conversation'), () => picker(app))),
    h('div', { class: 'scroll' }, rows, empty));
  setTimeout(() => node.classList.add('late'), SKELETON_AFTER);
  const skeleton = Array.from({ length: 7 }, (_, index) => ({ id: `skeleton ${index}`, skeleton: true }));

  return {
    node,
    focus: () => search.focus(),
    render() {
      const wish = search.value.trim().toLowerCase();
      const all = byRecency(app.state.conversations);
      const shown = all.filter((conversation) => !wish || oneLine(app.titleOf(conversation)).toLowerCase().includes(wish));
      keyed(rows, app.ready ? shown : skeleton, (item) => item.id, (item) => (item.skeleton ? skeletonRow() : row(app, item)), (item, conversation) => conversation.skeleton || refresh(app, item, conversation));
      const words = !app.ready || shown.length ? '' : t(wish ? 'nothing_found' : 'no_conversations');
      if (empty.dataset.words === words) return;
      empty.dataset.words = words;
      empty.replaceChildren(...(words ? [h('p', {}, words), wish ? '' : h('button', { type: 'button', class: 'primary', onclick: () => picker(app) }, t('new_conversation'))] : []));
    },
  };
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
  const text = plain(last.content.text ?? '');
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
