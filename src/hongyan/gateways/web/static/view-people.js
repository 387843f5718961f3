// Choosing people, and the drawer of a group: members, name, adding, removing, leaving.

import { sentence } from './app.js';
import { avatar, h, icon, keyed, oneLine, set, sign, toast, write } from './dom.js';
import { modal } from './view-login.js';
import { t } from './words.js';

const ASK_AFTER = 150;

/** Runs an act of a person: the failure is said, never swallowed. */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    toast(sentence(error, t), 'bad');
    return undefined;
  }
}

/** Pick people: for a new conversation, or, given a conversation, to add to it. */
export function picker(app, conversation = null) {
  const chosen = new Map();
  const already = new Set((conversation?.members ?? []).map((member) => member.id));
  const search = h('input', { inputmode: 'search', enterkeyhint: 'search', placeholder: t('find_people'), 'aria-label': t('find_people'), autocomplete: 'off', autofocus: true });
  const chips = h('div', { class: 'chips' });
  const found = h('ul', { class: 'rows people' });
  const empty = h('p', { class: 'second middle', role: 'status' });
  const title = h('input', { maxlength: 100, 'aria-label': t('group_title'), placeholder: t('group_title'), hidden: true });
  const button = h('button', { class: 'primary', disabled: true });
  let people = [];
  let asked = 0;

  const toggle = (person) => {
    if (!chosen.delete(person.id)) chosen.set(person.id, person);
    show();
  };
  const show = () => {
    const n = chosen.size;
    keyed(chips, [...chosen.values()], (person) => person.id, (person) => h('button', { type: 'button', class: 'chip', title: t('remove'), onclick: () => toggle(person) }, h('span', { class: 'clip' }, oneLine(person.name)), icon('close', 14)));
    keyed(found, people, (person) => person.id, (person) => {
      const status = app.state.presence.get(person.id);
      const item = h('button', { type: 'button', class: 'row', role: 'checkbox', disabled: already.has(person.id), onclick: () => toggle(person) },
        avatar(person.id, person.name, { status }), h('span', { class: 'row-top' }, h('strong', { class: 'clip' }, oneLine(person.name)), h('i', { class: 'tick' }, icon('check', 18))),
        h('span', { class: 'row-under' }, h('span', { class: 'clip last' }, already.has(person.id) ? t('already_member') : person.id)));
      return h('li', { 'data-user': person.id }, item);
    }, (item, person) => set(item.firstChild, 'aria-checked', String(chosen.has(person.id))));
    title.hidden = Boolean(conversation) || n < 2;
    button.disabled = n === 0;
    write(button, conversation ? t('add_n', { n }) : n < 2 ? t('start_chat') : t('create_group', { n: n + 1 }));
  };
  /** From the first key on the list is busy: an answer to an earlier question no longer moves rows under a finger. */
  const ask = async (later) => {
    const mine = (asked += 1);
    const overtaken = () => mine !== asked;
    set(found, 'aria-busy', 'true');
    if (later) await new Promise((resolve) => setTimeout(resolve, later));
    if (overtaken()) return;
    try {
      const answer = await app.people(search.value.trim());
      if (overtaken()) return;
      people = answer.filter((person) => person.id !== app.state.me.id);
      write(empty, people.length ? '' : t('no_people'));
    } catch (error) {
      if (overtaken()) return;
      write(empty, sentence(error, t));
    }
    set(found, 'aria-busy', 'false');
    show();
  };
  search.addEventListener('input', () => ask(ASK_AFTER));
  const submit = async (event) => {
    event.preventDefault();
    if (!chosen.size || event.isComposing) return;
    const ids = [...chosen.keys()];
    const named = title.value.trim() || [app.state.me, ...chosen.values()].slice(0, 4).map((person) => oneLine(person.name)).join('、');
    button.disabled = true;
    const done = await attempt(() => (conversation ? app.addMembers(conversation.id, ids) : app.start(ids, ids.length > 1 ? named : '')).then(() => true));
    button.disabled = false;
    if (done) dialog.close();
  };
  const dialog = modal(conversation ? t('add_members') : t('new_conversation'),
    h('form', { class: 'stack picker', onsubmit: submit, novalidate: true },
      h('label', { class: 'search' }, icon('search', 16), search), chips,
      h('div', { class: 'scroll' }, found, empty),
      title, h('div', { class: 'acts spread' }, h('span', { class: 'second' }, conversation ? '' : t('pick_people')), button)));
  show();
  ask(0);
  return dialog;
}

/** The drawer at the side of a conversation. */
export function detailsView(app, onClose) {
  const title = h('input', { maxlength: 100, 'aria-label': t('group_title') });
  const save = h('button', { class: 'quiet small' }, t('rename'));
  const form = h('form', { class: 'rename', onsubmit: (event) => {
    event.preventDefault();
    const wish = title.value.trim();
    if (wish && wish !== app.conversation.title) attempt(() => app.rename(app.ui.open, wish)).then(() => app.changed());
    title.blur();
  } }, title, save);
  const add = h('button', { type: 'button', class: 'row act', onclick: () => picker(app, app.conversation) }, h('span', { class: 'avatar many plain' }, icon('add')), h('span', { class: 'row-top' }, t('add_members')));
  const count = h('span', { class: 'second' });
  const rows = h('ul', { class: 'rows people' });
  const more = h('button', { type: 'button', class: 'quiet small', hidden: true }, t('more_members'));
  const leave = h('button', { type: 'button', class: 'quiet warn' }, t('leave'));
  const close = sign('close', `${t('close')} (Esc)`, onClose);
  const node = h('aside', { class: 'details', 'aria-label': t('details'), hidden: true },
    h('header', {}, h('h2', {}, t('details')), close),
    h('div', { class: 'scroll' }, form, h('h3', {}, t('members'), ' ', count), add, rows, more), h('footer', {}, leave));
  let page = { id: null, members: [], more: false };
  let sure = null;

  /** A conversation with more than 100 members tells them in pages. */
  const nextPage = async () => {
    const { id } = app.conversation;
    const before = page.id === id ? page.members : [];
    const answer = await attempt(() => app.members(id, before.at(-1)?.id));
    if (answer) page = { id, members: [...before, ...answer.members], more: answer.more };
    app.changed();
  };
  more.addEventListener('click', nextPage);
  leave.addEventListener('click', () => {
    if (sure !== app.ui.open) {
      sure = app.ui.open;
      write(leave, t('leave_sure'));
      setTimeout(() => ((sure = null), write(leave, t('leave'))), 5_000);
      return;
    }
    attempt(() => app.removeMember(app.ui.open, app.state.me.id));
  });

  const memberRow = (member) => {
    const { id } = member;
    const remove = h('button', { type: 'button', class: 'quiet small warn', 'aria-label': t('remove_who', { who: oneLine(app.nameOf(id)) }), onclick: () => attempt(() => app.removeMember(app.ui.open, id)) }, t('remove'));
    const parts = { face: h('span', { class: 'face' }), name: h('strong', { class: 'clip' }), role: h('span', { class: 'tag' }), remove };
    return Object.assign(h('li', { 'data-user': id }, h('div', { class: 'row' }, parts.face, h('span', { class: 'row-top' }, parts.name, parts.role, remove), h('span', { class: 'row-under' }, h('span', { class: 'clip last' }, id)))), { parts });
  };

  return {
    node,
    focus: () => close.focus(),
    render() {
      const { conversation } = app;
      node.hidden = !app.ui.details || !conversation;
      if (node.hidden) return;
      const group = conversation.kind === 'group';
      const rank = { owner: 0, admin: 1, member: 2 };
      const { role } = conversation;
      form.hidden = !group;
      if (document.activeElement !== title) title.value = conversation.title ?? '';
      add.hidden = leave.hidden = !group;
      write(count, t('people_count', { n: conversation.member_count }));
      if (!conversation.members && page.id !== conversation.id) {
        page = { id: conversation.id, members: [], more: false };
        nextPage();
      }
      more.hidden = Boolean(conversation.members) || !page.more;
      const members = conversation.members ? [...conversation.members].sort((a, b) => rank[a.role] - rank[b.role]) : page.members;
      keyed(rows, members, (member) => member.id, memberRow, ({ parts }, member) => {
        const name = oneLine(app.nameOf(member.id) === member.id ? member.name : app.nameOf(member.id));
        const status = app.state.presence.get(member.id);
        if (parts.look !== `${name} ${status}`) parts.face.replaceChildren(avatar(member.id, name, { status }));
        parts.look = `${name} ${status}`;
        write(parts.name, member.id === app.state.me.id ? `${name}（${t('you')}）` : name);
        write(parts.role, member.role === 'member' || !group ? '' : t(member.role));
        parts.remove.hidden = !group || member.id === app.state.me.id || rank[role] >= rank[member.role] || role === 'member';
      });
    },
  };
}
