// One conversation: its head, its messages, the composer, the drawer.

import { avatar, h, oneLine, set, sign, write } from './dom.js';
import { composerView } from './view-composer.js';
import { timelineView } from './view-timeline.js';
import { detailsView, picker } from './view-people.js';
import { geese } from './view-login.js';
import { t } from './words.js';

export function chatView(app) {
  const timeline = timelineView(app);
  const composer = composerView(app, () => timeline.toNewest());
  const details = detailsView(app, () => toggleDetails(false));
  const face = h('span', { class: 'face' });
  const title = h('h2', { class: 'clip' });
  const under = h('p', { class: 'second clip', 'aria-live': 'off' });
  const opener = sign('members', t('details'), () => toggleDetails(!app.ui.details), { 'aria-expanded': 'false' });
  const head = h('header', { class: 'chat-head' }, sign('back', `${t('back')} (Esc)`, () => app.open(null), { class: 'sign only-phone' }), face, h('div', { class: 'names' }, title, under), opener);
  const body = h('div', { class: 'chat-body' }, head, timeline.node, composer.node);
  const empty = h('div', { class: 'empty' }, geese('picture'), h('p', {}, t('pick_conversation')),
    h('button', { type: 'button', class: 'primary', onclick: () => picker(app) }, t('new_conversation')));
  const node = h('section', { class: 'chat' }, body, empty, details.node);
  let look = '';

  function toggleDetails(on) {
    app.ui.details = on;
    details.render();
    if (!on) opener.focus();
    else if (matchMedia('(max-width: 1199px)').matches) details.focus(); // there it lies over the conversation
    app.changed();
  }

  return {
    node,
    toggleDetails,
    render() {
      const { conversation } = app;
      body.hidden = !conversation;
      empty.hidden = Boolean(conversation) || !app.ready;
      details.render();
      set(opener, 'aria-expanded', String(Boolean(app.ui.details)));
      if (!conversation) {
        timeline.leave();
        return;
      }
      const name = oneLine(app.titleOf(conversation));
      const peer = app.peerOf(conversation);
      const status = peer ? app.state.presence.get(peer) ?? 'offline' : null;
      if (look !== `${conversation.id} ${name} ${status}`) face.replaceChildren(avatar(peer ?? conversation.id, name, { round: Boolean(peer), status }));
      look = `${conversation.id} ${name} ${status}`;
      write(title, name);
      set(title, 'title', name);
      write(under, typingWords(app, conversation) ?? (peer ? t(status) : t('people_count', { n: conversation.member_count })));
      set(under, 'class', `second clip ${typingWords(app, conversation) ? 'typing' : ''}`);
      timeline.render();
      composer.render(name);
    },
  };
}

function typingWords(app, conversation) {
  const people = [...(app.state.typing.get(conversation.id)?.keys() ?? [])];
  if (!people.length) return null;
  return people.length === 1 ? t('typing_one', { who: oneLine(app.nameOf(people[0])) }) : t('typing_many', { n: people.length });
}
