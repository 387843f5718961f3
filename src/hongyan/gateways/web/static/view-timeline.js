// The messages: grouped by person within five minutes, days and what is new divided, own ones on the right.

import { avatar, h, icon, keyed, oneLine, set, write } from './dom.js';
import { markdown } from './markdown.js';
import { said } from './state.js';
import { clock, day, dayKey, exact, t } from './words.js';

const TOGETHER = 5 * 60_000;
const NEAR_TOP = 400;
const NEAR_END = 48;
const NAMES_MOST = 4;

export function timelineView(app) {
  const rows = h('ol', { class: 'timeline' });
  const above = h('div', { class: 'above second' });
  const scroll = h('div', { class: 'scroll messages', tabindex: '0', role: 'log', 'aria-live': 'off', 'aria-label': t('messages') }, above, rows);
  const jump = h('button', { type: 'button', class: 'jump', hidden: true, title: t('to_newest'), onclick: () => toNewest() }, icon('down'), h('span', { class: 'unseen' }, t('to_newest')), h('i', { class: 'badge' }));
  const bones = h('div', { class: 'bones', 'aria-hidden': 'true' }, [3, 5, 2, 4, 3].map((size, index) => h('span', { class: `bone size-${size} ${index % 3 === 2 ? 'own' : ''}` })));
  const node = h('div', { class: 'timeline-box' }, bones, scroll, jump);
  let shownId = null;
  let atEnd = true;

  const toNewest = () => {
    atEnd = true;
    scroll.scrollTop = scroll.scrollHeight;
    app.changed();
  };
  scroll.addEventListener('scroll', () => {
    const before = atEnd;
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
    if (atEnd !== before) app.changed();
    if (scroll.scrollTop < NEAR_TOP) app.loadOlder();
  }, { passive: true });
  // The composer grows, the window turns, a keyboard rises: who was at the end stays there.
  const stay = new ResizeObserver(() => {
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  });
  stay.observe(scroll);

  /** The first row that is in view, and where: rows put in above must not move it. */
  const anchor = () => {
    const top = scroll.getBoundingClientRect().top;
    const row = [...rows.children].find((one) => one.getBoundingClientRect().bottom > top);
    return row ? { row, y: row.getBoundingClientRect().top } : null;
  };

  return {
    node,
    toNewest,
    /** Nothing is open: the next conversation is entered anew, even if it is the same. */
    leave: () => (shownId = null),
    render() {
      const { conversation } = app;
      const fresh = shownId !== conversation.id;
      if (fresh) {
        shownId = conversation.id;
        rows.replaceChildren();
        atEnd = true;
      }
      const held = atEnd ? null : anchor();
      const items = itemsOf(app, conversation);
      keyed(rows, items, (item) => item.key, (item) => MAKE[item.kind](app, item), (row, item) => UPDATE[item.kind]?.(app, row, item));
      const failed = app.ui.failed.has(conversation.id);
      const words = failed ? t('load_failed') : aboveWords(conversation, items);
      if (above.hongyanLook !== `${failed} ${words}`) {
        above.replaceChildren(words, ...(failed ? [h('button', { type: 'button', class: 'quiet small', onclick: () => app.retryHistory() }, t('retry'))] : []));
      }
      above.hongyanLook = `${failed} ${words}`;
      set(above, 'class', `above second ${items.some((item) => item.kind === 'message') ? '' : 'alone'}`);
      bones.hidden = conversation.loaded || failed;
      set(scroll, 'aria-busy', conversation.loaded ? null : 'true');
      if (fresh && conversation.loaded && app.ui.newFrom !== null) {
        const line = rows.querySelector('.unread-line');
        // Not scrollIntoView: that would scroll everything around the messages too.
        if (line) scroll.scrollTop += line.getBoundingClientRect().top - scroll.getBoundingClientRect().top - scroll.clientHeight / 3;
        atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
      } else if (atEnd) scroll.scrollTop = scroll.scrollHeight;
      else if (held?.row.isConnected) scroll.scrollTop += held.row.getBoundingClientRect().top - held.y;
      if (!conversation.loaded) shownId = null;
      if (conversation.loaded && scroll.scrollHeight <= scroll.clientHeight) app.loadOlder();
      jump.hidden = atEnd;
      write(jump.lastChild, atEnd || !conversation.unread ? '' : conversation.unread > 99 ? '99+' : String(conversation.unread));
      if (atEnd) app.markRead();
    },
  };
}

function aboveWords(conversation, items) {
  if (!conversation.loaded) return '';
  if (conversation.older) return t('loading_older');
  return items.some((item) => item.kind === 'message') ? t('beginning') : t('no_messages');
}

/** Everything to show, in order: dividers, notes, messages of the log, then those on their way. */
export function itemsOf(app, conversation) {
  const items = [];
  const mine = app.state.me.id;
  const newFrom = app.ui.newFrom;
  let previous = null;
  let divided = newFrom === null;
  const put = (item, time, sender) => {
    if (!items.length || dayKey(time) !== dayKey(previous.time)) {
      items.push({ kind: 'day', key: `day ${dayKey(time)}`, time });
      if (previous?.item.kind === 'message') previous.item.last = true;
      previous = null;
    }
    if (!divided && sender !== mine && item.kind === 'message' && item.event.seq > newFrom) {
      items.push({ kind: 'unread', key: 'unread' });
      divided = true;
      previous = null;
    }
    const together = item.kind === 'message' && previous?.item.kind === 'message' && previous.sender === sender && time - previous.time < TOGETHER;
    item.first = !together;
    item.last = true;
    if (together) previous.item.last = false;
    items.push(item);
    previous = { item, time, sender };
  };
  for (const event of conversation.events) {
    if (event.type === 'message') {
      const own = event.sender === mine;
      put({ kind: 'message', key: own && event.client_id ? `own ${event.client_id}` : `seq ${event.seq}`, event, own, text: said(event.content, t), time: event.time, status: null }, event.time, event.sender);
    } else if (NOTES[event.type]) put({ kind: 'note', key: `seq ${event.seq}`, event }, event.time, null);
  }
  const there = new Set(items.map((item) => item.key));
  for (const entry of app.outbox.entries) {
    const key = `own ${entry.client_id}`;
    if (entry.conversation !== conversation.id || there.has(key)) continue;
    const time = Math.max(entry.time, previous?.time ?? 0); // this machine's clock may be behind the server's
    put({ kind: 'message', key, own: true, text: entry.text, time, status: entry.status, entry, event: { seq: Infinity, sender: mine } }, time, mine);
  }
  markRead(items, conversation);
  return items;
}

/** Beside my last message: that it was taken, and who has read it. */
function markRead(items, conversation) {
  const marks = [...conversation.marks].filter(([, seq]) => seq > 0);
  const own = items.findLast((item) => item.kind === 'message' && item.own && !item.status);
  if (!own) return;
  own.newest = true;
  own.readers = marks.filter(([, seq]) => seq >= own.event.seq).length;
  own.direct = conversation.kind === 'direct';
}

function people(app, users) {
  const names = users.slice(0, NAMES_MOST).map((user) => oneLine(app.nameOf(user.id)));
  return users.length > NAMES_MOST ? t('and_more', { names: names.join('、'), n: users.length }) : names.join('、');
}

const NOTES = {
  create: (app, who, { kind }) => (kind === 'direct' ? t('note_create_direct') : t('note_create', { who })),
  settings: (app, who, content) => (content.title !== undefined ? t('note_title', { who, title: oneLine(content.title) }) : t('note_history', { who })),
  member(app, who, { action, users, owner }) {
    const role = action === 'role' && users[0] ? t(users[0].role) : '';
    const after = owner ? t('note_owner', { owner: oneLine(app.nameOf(owner)) }) : '';
    return t(`note_${action}`, { who, users: people(app, users), role }) + after;
  },
};

const STATUS_ICON = { sending: 'clock', sent: 'check', read: 'read' };

const MAKE = {
  day: (app, { time }) => h('li', { class: 'divider' }, h('time', {}, day(time))),
  unread: () => h('li', { class: 'divider unread-line' }, h('span', {}, t('unread_below'))),
  note: () => h('li', { class: 'note' }),
  message(app, item) {
    const { own, event, text, time } = item;
    const name = oneLine(app.nameOf(event.sender));
    const bubble = h('div', { class: 'bubble', dir: 'auto' }, markdown(text));
    const state = h('span', { class: 'sent-state' });
    const row = h('li', { class: 'message', 'data-own': own ? 'true' : null }, own ? null : h('span', { class: 'face' }),
      h('div', { class: 'said' }, h('span', { class: own ? 'unseen' : 'who' }, own ? t('you') : name), h('div', { class: 'bubble-line' }, bubble, h('time', { title: exact(time) }, clock(time)), state)));
    return Object.assign(row, { state });
  },
};

const UPDATE = {
  day: (app, row, { time }) => write(row.firstChild, day(time)),
  note(app, row, { event }) {
    write(row, NOTES[event.type](app, event.sender ? (event.sender === app.state.me.id ? t('you') : oneLine(app.nameOf(event.sender))) : '', event.content));
    set(row, 'title', exact(event.time));
  },
  message(app, row, { event, first, last, own, status, entry, newest, readers, direct }) {
    set(row, 'class', `message ${own ? 'own' : ''} ${first ? 'first' : ''} ${last ? 'last' : ''} ${status ?? ''}`);
    set(row, 'data-seq', Number.isFinite(event.seq) ? event.seq : null);
    if (!own) {
      const name = oneLine(app.nameOf(event.sender));
      const look = `${name} ${first}`;
      if (row.look !== look) row.firstChild.replaceChildren(...(first ? [avatar(event.sender, name)] : []));
      row.look = look;
      const who = row.who ?? row.querySelector('.who');
      write(who, name);
      set(who, 'class', first ? 'who' : 'unseen');
      row.who = who;
      return;
    }
    const word = status ?? (readers ? 'read' : newest ? 'sent' : '');
    const label = word === 'failed' ? t('failed') : word === 'read' ? (direct ? t('read_by') : t('read_by_n', { n: readers })) : word ? t(word) : '';
    const look = `${word} ${label} ${entry?.detail}`;
    if (row.state.look === look) return;
    row.state.look = look;
    row.state.replaceChildren(...stateNodes(app, word, label, entry));
  },
};

function stateNodes(app, word, label, entry) {
  if (!word) return [];
  if (word !== 'failed') return [h('span', { class: 'quiet-state', title: label }, icon(STATUS_ICON[word], 14), h('span', { class: word === 'read' ? '' : 'unseen' }, label))];
  return [
    h('button', { type: 'button', class: 'retry', onclick: () => app.retry(entry.client_id) }, icon('alert', 16), entry.detail === 'too-large' ? t('too_long') : label),
    h('button', { type: 'button', class: 'link', onclick: () => app.outbox.settle(entry.client_id) }, t('discard')),
  ];
}
