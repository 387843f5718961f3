// The frame: rail, transports on top, list, conversation; the thin bars; keys that work everywhere.

import { Problem } from './api.js';
import { sentence } from './app.js';
import { avatar, h, icon, mark, sign, write } from './dom.js';
import { byRecency } from './state.js';
import { chatView } from './view-chat.js';
import { divider } from './view-divider.js';
import { listView } from './view-list.js';
import { picker } from './view-people.js';
import { modal, passwordDialog, themeShown, themeSign } from './view-login.js';
import { wireView } from './view-wire.js';
import { getLanguage, number, t } from './words.js';

const BAR_AFTER = 800; // a switch of the transport is too short to be worth a bar

export function mainScreen(app, choices) {
  const wire = wireView(app);
  const list = listView(app);
  const chat = chatView(app);
  const bar = offlineBar(app);
  const notice = h('div', { class: 'notice', role: 'status' },
    h('p', {}, t('password_notice')),
    h('button', { type: 'button', class: 'primary small', onclick: () => passwordDialog(app) }, t('password_change')),
    h('button', { type: 'button', class: 'quiet small', onclick: () => app.dismissNotice() }, t('later')));
  const face = h('span', { class: 'face' });
  const self = h('button', { type: 'button', class: 'self', title: t('me'), onclick: () => meDialog(app) }, h('span', { class: 'unseen' }, t('me')), face);
  const badge = h('i', { class: 'badge', 'aria-hidden': 'true' });
  const unread = h('span', { class: 'unseen' });
  const rail = h('nav', { class: 'rail', 'aria-label': t('name') },
    mark(),
    h('button', { type: 'button', class: 'sign current', title: t('messages'), onclick: () => app.open(null) }, icon('messages'), h('span', { class: 'unseen' }, t('messages')), badge, unread),
    sign('plus', t('new_conversation'), () => picker(app), { id: 'new-conversation' }),
    h('span', { class: 'gap' }),
    sign('language', t('language'), () => choices.nextLanguage(), { lang: getLanguage() === 'zh' ? 'en' : 'zh-CN' }),
    themeSign(choices),
    self);
  const node = h('div', { class: 'frame' }, rail,
    h('header', { class: 'top' }, h('h1', { class: 'unseen' }, t('name')), wire.node, bar.node, notice), h('main', { class: 'panes' }, list.node, chat.node));
  list.node.append(divider());

  const neighbour = (step) => {
    const all = byRecency(app.state.conversations).map((conversation) => conversation.id);
    const next = all[all.indexOf(app.ui.open) + step] ?? all[0];
    if (next) app.open(next);
  };
  const keydown = (event) => {
    if (!node.isConnected) return document.removeEventListener('keydown', keydown);
    if (event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) neighbour(event.key === 'ArrowUp' ? -1 : 1);
    else if ((event.ctrlKey || event.metaKey) && event.key === 'k') list.focus();
    else if (event.key === '?' && !event.target.closest('input, textarea, select')) keysDialog();
    else if (event.key === 'Escape' && app.ui.details) chat.toggleDetails(false);
    else if (event.key === 'Escape' && app.ui.open) app.open(null);
    else return undefined;
    return event.preventDefault();
  };
  document.addEventListener('keydown', keydown); // not on the node: with nothing focused, keys go to the page
  addEventListener('focus', () => app.markRead());
  document.addEventListener('visibilitychange', () => app.markRead());

  let shownSelf = '';
  return {
    node,
    render() {
      const { me, presence } = app.state;
      node.dataset.pane = app.ui.open ? 'chat' : 'list';
      notice.hidden = !app.session.change_password;
      write(badge, app.unread > 99 ? '99+' : String(app.unread || ''));
      write(unread, app.unread ? t('unread_count', { n: number(app.unread) }) : '');
      const status = me && app.link.phase === 'open' ? presence.get(me.id) ?? 'online' : 'offline';
      const look = me ? `${me.id} ${me.name} ${status}` : '';
      if (look !== shownSelf && me) face.replaceChildren(avatar(me.id, me.name, { status }));
      shownSelf = look;
      themeShown(node, choices);
      bar.render();
      wire.render();
      list.render();
      chat.render();
    },
  };
}

/** Thin, and only when the connection has been away for a moment. */
function offlineBar(app) {
  const text = h('span');
  const button = h('button', { type: 'button', class: 'link', onclick: () => app.retryNow() }, t('retry_now'));
  const node = h('div', { class: 'bar', role: 'status' }, text, button);
  let since = null;
  const words = () => {
    const { phase, until, reason } = app.link;
    if (!app.ready) return app.bootError instanceof Problem ? sentence(app.bootError, t) : t('unreachable');
    if (!navigator.onLine && phase !== 'open') return t('bar_offline');
    if (phase === 'stopped') return t('bar_stopped');
    if (phase === 'connecting') return t('bar_connecting');
    return t(reason === 'later' ? 'bar_later' : 'bar_waiting', { seconds: Math.max(1, Math.ceil((until - performance.now()) / 1000)) });
  };
  return {
    node,
    render() {
      const away = app.ready ? !['open', 'idle'].includes(app.link.phase) : Boolean(app.bootError);
      if (!away) since = null;
      else if (since === null) {
        since = performance.now();
        setTimeout(() => app.changed(), BAR_AFTER + 50);
      }
      node.hidden = !away || performance.now() - since < BAR_AFTER;
      if (node.hidden) return;
      write(text, words());
      button.hidden = app.ready && !['waiting', 'stopped'].includes(app.link.phase);
    },
  };
}

function meDialog(app) {
  const { me, presence } = app.state;
  if (!me) return;
  const now = presence.get(me.id) ?? 'online';
  const choose = (event) => app.setPresence(event.target.value);
  const dialog = modal(t('me'),
    h('div', { class: 'stack' },
      h('div', { class: 'person-head' }, avatar(me.id, me.name), h('div', {}, h('strong', {}, me.name), h('p', { class: 'second' }, me.id))),
      h('label', { class: 'field' }, h('span', {}, t('status')),
        h('select', { onchange: choose }, ...['online', 'away', 'busy', 'dnd'].map((status) => h('option', { value: status, selected: status === now }, t(status))))),
      h('div', { class: 'acts spread' },
        h('button', { type: 'button', class: 'quiet only-keys', onclick: () => (dialog.close(), keysDialog()) }, t('keys')),
        h('button', { type: 'button', class: 'quiet', onclick: () => (dialog.close(), passwordDialog(app)) }, t('password_change')),
        h('button', { type: 'button', class: 'quiet warn', onclick: () => (dialog.close(), app.logout()) }, t('log_out')))));
}

const KEYS = [
  ['key_switch', 'Alt', '↑ ↓'], ['key_find', 'Ctrl', 'K'], ['key_back', 'Esc'], ['key_send', 'Enter'], ['key_line', 'Shift', 'Enter'],
  ['key_transport', '← →'], ['key_map', '?'],
];

function keysDialog() {
  modal(t('keys'), h('dl', { class: 'keys' }, KEYS.map(([word, ...keys]) => h('div', {}, h('dt', {}, t(word)), h('dd', {}, keys.map((key) => h('kbd', {}, key)))))));
}
