// What a person can do, and what happens by itself: joins requests, connection, outbox and state. Knows nothing of nodes.

import { Api, Problem, Unreachable, conversationPath } from './api.js';
import { Link } from './link.js';
import { Outbox } from './outbox.js';
import * as fold from './state.js';
import { plain } from './markdown.js';
import { t } from './words.js';

const SESSION = 'hongyan.session'; // the tab's own: gone with the tab, never shared
const PAGE = 50;
const TYPING_EVERY = 4_000;
const READ_EVERY = 250;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const kept = () => JSON.parse(sessionStorage.getItem(SESSION) ?? 'null');

export class App {
  state = fold.nothing;
  session = null; // {token, user_id, name, change_password}
  ready = false; // a snapshot is loaded
  ui = { open: null, filter: '', details: false, newFrom: null, loading: new Set(), failed: new Set() };
  drafts = new Map();
  #sentAt = new Map(); // client_id -> performance.now()
  #asked = new Set(); // users and conversations asked for
  #typedAt = null; // performance.now(), while the others were told so
  #marks = new Map(); // conversation -> my read mark that the server has not confirmed
  #reading = null;
  #hurry = null;
  #scheduled = null;
  #boots = 0;

  /** `views` has render(), say(key, values), announce(name, text). */
  constructor(views) {
    this.views = views;
    this.api = new Api();
    this.link = new Link(this.api, {
      take: (map) => this.#take(map),
      reload: () => this.#boot('reloaded'),
      login: () => this.#leave('token_ended'),
      changed: () => this.changed(),
      opened: () => this.#opened(),
    });
    this.outbox = new Outbox((entry) => this.#post(entry), () => this.changed());
    setInterval(() => this.#tick(), 1_000);
  }

  changed() {
    this.#scheduled ??= setTimeout(() => {
      this.#scheduled = null;
      this.views.render();
    });
  }

  #set(state) {
    this.state = state;
    this.changed();
  }

  #tick() {
    const state = fold.expireTyping(this.state, Date.now());
    if (state !== this.state || this.link.phase === 'waiting' || Date.now() % 30_000 < 1_000) this.#set(state);
  }

  // ---- session

  async resume() {
    this.session = kept();
    if (this.session) await this.#boot();
    else this.changed();
  }

  /** Throws Problem or Unreachable. */
  async login(username, password) {
    const answer = await this.api.post('v1/login', { username, password, device: deviceName() });
    this.#keep(answer);
    this.#boot();
  }

  #keep(session) {
    this.session = session;
    sessionStorage.setItem(SESSION, JSON.stringify(session));
    this.changed();
  }

  async logout() {
    this.api.post('v1/logout').catch(() => {});
    this.outbox.clear();
    this.drafts.clear();
    this.#leave(null);
  }

  #leave(reason) {
    this.#boots += 1;
    this.link.stop();
    this.#marks.clear();
    this.api.token = this.session = null;
    this.ready = false;
    this.bootError = null;
    this.ui.open = null;
    this.ended = reason;
    sessionStorage.removeItem(SESSION);
    history.replaceState(null, '', location.pathname + location.search);
    this.#set(fold.nothing);
  }

  async changePassword(old, fresh) {
    await this.api.post('v1/password', { old, new: fresh });
    this.#keep({ ...this.session, change_password: false });
  }

  dismissNotice() {
    this.#keep({ ...this.session, change_password: false });
  }

  /** Position and snapshot first, then the events since. */
  async #boot(word = null) {
    const boot = (this.#boots += 1);
    this.api.token = this.session.token;
    this.link.stop();
    for (let failures = 0; ; failures += 1) {
      try {
        const snapshot = await this.api.get('v1/snapshot', { timeout: 60_000 });
        if (boot !== this.#boots) return;
        this.#asked.clear();
        this.ready = true;
        this.bootError = null;
        this.#set(fold.fromSnapshot(this.state, snapshot));
        this.link.start(snapshot.cursor);
        if (this.outbox.owner !== snapshot.user.id) this.outbox.restore(snapshot.user.id);
        if (word) this.views.say(word);
        return this.showHash();
      } catch (error) {
        if (boot !== this.#boots) return;
        if (error.status === 401) return this.#leave('token_ended');
        this.bootError = error;
        this.changed();
        const wait = Math.max(Math.min(30_000, 1_000 * 2 ** failures) * (0.5 + Math.random() / 2), (error.retryAfter ?? 0) * 1_000);
        await Promise.race([pause(wait), new Promise((resolve) => (this.#hurry = resolve))]);
      }
    }
  }

  retryNow() {
    this.#hurry?.();
    this.link.retryNow();
  }

  // ---- what arrives

  #take({ events, signals }) {
    let state = this.state;
    for (const event of events) {
      const before = state;
      state = fold.fold(state, event);
      if (state !== before && event.type === 'message') this.#arrived(state, event);
    }
    for (const signal of signals) state = fold.foldSignal(state, signal, Date.now());
    for (const title of state.parted) this.views.say('removed_you', { title: title ?? '' });
    if (this.ui.open && this.state.conversations.has(this.ui.open) && !state.conversations.has(this.ui.open)) this.open(null);
    this.#set(state.parted.length ? { ...state, parted: [] } : state);
    this.#askMore(events);
  }

  #arrived(state, event) {
    if (event.sender !== state.me.id) return this.views.announce(event.sender, plain(fold.said(event.content, t)));
    const sentAt = this.#sentAt.get(event.client_id);
    if (sentAt !== undefined) this.link.measured(performance.now() - sentAt);
    this.#sentAt.delete(event.client_id);
    this.outbox.settle(event.client_id);
  }

  /** Events told of conversations or people that are not known yet. */
  #askMore(events) {
    for (const id of this.state.wanted) this.#once(`conversation ${id}`, async () => {
      do this.#set(fold.withConversation(this.state, await this.api.get(conversationPath(id))));
      while (this.state.wanted.has(id));
      this.showHash();
    }, () => this.#set({ ...this.state, wanted: new Set([...this.state.wanted].filter((one) => one !== id)) }));
    this.#askNames(events);
  }

  #askNames(events) {
    const strangers = new Set(events.map((event) => event.sender).filter((id) => id && !this.state.names.has(id)));
    for (const id of strangers) this.#once(`user ${id}`, async () => this.#set(fold.withNames(this.state, [await this.api.get(`v1/users/${encodeURIComponent(id)}`)])));
  }

  async #once(what, ask, otherwise = () => {}) {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    try {
      await ask();
      this.#asked.delete(what);
    } catch (error) {
      if (error instanceof Unreachable || error.retryAfter != null) setTimeout(() => (this.#asked.delete(what), this.#askMore([])), 3_000);
      else otherwise();
    }
  }

  #opened() {
    this.outbox.resume();
    this.#tellMarks();
    this.api.get('v1/online').then(({ users }) => this.#set(fold.withPresence(this.state, users)), () => {});
    if (this.ui.open) this.load(this.ui.open);
    this.#askMore([]);
  }

  // ---- conversations

  nameOf(id) {
    return this.state.names.get(id) ?? id;
  }

  get conversation() {
    return this.state.conversations.get(this.ui.open) ?? null;
  }

  /** The other person of a direct conversation (oneself when alone in it). */
  peerOf(conversation) {
    if (conversation.kind !== 'direct') return null;
    return conversation.members?.find((member) => member.id !== this.state.me.id)?.id ?? this.state.me.id;
  }

  titleOf(conversation) {
    const peer = this.peerOf(conversation);
    return peer ? this.nameOf(peer) : conversation.title || (conversation.members ?? []).map((member) => this.nameOf(member.id)).join('、');
  }

  /** One step in the browser's history from the list to a conversation, so that a phone's own way back leads to the list. */
  open(id) {
    const address = location.pathname + location.search + (id ? `#c=${encodeURIComponent(id)}` : '');
    if (!id && history.state?.fromList) return history.back();
    if (id && !this.ui.open) history.pushState({ fromList: true }, '', address);
    else history.replaceState(history.state, '', address);
    return this.showHash();
  }

  showHash() {
    const id = /^#c=(.+)$/.exec(location.hash)?.[1];
    const wish = id ? decodeURIComponent(id) : null;
    const open = this.state.conversations.has(wish) ? wish : null;
    if (open === this.ui.open) return open && this.load(open);
    const conversation = this.state.conversations.get(open);
    Object.assign(this.ui, { open, details: false, newFrom: conversation?.unread ? conversation.read_seq : null });
    if (open) this.load(open);
    this.changed();
  }

  /** The newest page of a conversation that is not loaded yet. */
  load(id) {
    if (!this.state.conversations.get(id)?.loaded) this.#history(id, `limit=${PAGE}`);
  }

  loadOlder() {
    const { conversation } = this;
    if (conversation?.loaded && conversation.older && !this.ui.failed.has(conversation.id)) {
      this.#history(conversation.id, `before=${conversation.events[0]?.seq ?? conversation.head_seq + 1}&limit=${PAGE}`);
    }
  }

  retryHistory() {
    this.ui.failed.delete(this.ui.open);
    if (this.conversation?.loaded) this.loadOlder();
    else this.load(this.ui.open);
  }

  async #history(id, query) {
    if (this.ui.loading.has(id)) return;
    this.ui.loading.add(id);
    this.ui.failed.delete(id);
    this.changed();
    try {
      const page = await this.api.get(conversationPath(id, `/events?${query}`));
      this.#set(fold.withHistory(this.state, id, { ...page, events: fold.asNow(page) }));
      this.#askNames(page.events);
      for (const event of page.events) if (event.sender === this.state.me?.id && event.client_id) this.outbox.settle(event.client_id);
    } catch {
      this.ui.failed.add(id);
    }
    this.ui.loading.delete(id);
    this.changed();
  }

  // ---- messages

  send(text) {
    const { client_id } = this.outbox.add(this.ui.open, text);
    this.#sentAt.set(client_id, performance.now());
    this.ui.newFrom = null;
    this.drafts.delete(this.ui.open);
    this.#typedAt = null;
  }

  retry(client_id) {
    this.#sentAt.set(client_id, performance.now());
    this.outbox.retry(client_id);
  }

  async #post({ conversation, client_id, text }) {
    const content = { type: 'text', text };
    const socket = this.link.socket();
    if (socket) return socket.ask({ op: 'send', conversation, client_id, content });
    return this.api.post(conversationPath(conversation, '/messages'), { client_id, content }, { meter: this.link.meterOf() });
  }

  /** Over the socket when there is one, else a request. */
  async #ask(frame, path, method = 'POST') {
    const socket = this.link.socket();
    const { op: _, conversation: __, ...body } = frame;
    return socket ? socket.ask(frame) : this.api.call(method, path, body, { meter: this.link.meterOf() });
  }

  /** A signal: its loss is made good by the next. */
  #tell(frame, path, method) {
    const socket = this.link.socket();
    try {
      if (socket) socket.say(frame);
      else this.#ask(frame, path, method).catch(() => {});
    } catch {
      // The socket is just closing.
    }
  }

  /** Read marks that were not confirmed are told again when the connection stands. */
  #tellMarks() {
    for (const [conversation, seq] of this.#marks) {
      const done = () => this.#marks.get(conversation) === seq && this.#marks.delete(conversation);
      this.#ask({ op: 'read', conversation, seq }, conversationPath(conversation, '/read')).then(done, (error) => error instanceof Problem && error.retryAfter == null && done());
    }
  }

  /** Only what was really before a person's eyes: the page has the focus and shows the newest. */
  markRead() {
    const { conversation } = this;
    if (!conversation?.unread || !conversation.loaded || !document.hasFocus() || document.hidden) return;
    const { id, head_seq: seq } = conversation;
    this.#set(fold.foldRead(this.state, { conversation: id, seq }));
    this.#marks.set(id, seq);
    this.#reading ??= setTimeout(() => {
      this.#reading = null;
      this.#tellMarks();
    }, READ_EVERY);
  }

  draft(text) {
    const before = this.drafts.get(this.ui.open);
    if (text) this.drafts.set(this.ui.open, text);
    else this.drafts.delete(this.ui.open);
    if (Boolean(before) !== Boolean(text)) this.changed();
    const due = this.#typedAt === null || performance.now() - this.#typedAt > TYPING_EVERY;
    if (text && due) this.#typing(true);
    else if (!text && before && this.#typedAt !== null) this.#typing(false);
  }

  #typing(typing) {
    this.#typedAt = typing ? performance.now() : null;
    const id = this.ui.open;
    this.#tell({ op: 'typing', conversation: id, typing }, conversationPath(id, '/typing'));
  }

  // ---- people and groups; all throw Problem or Unreachable

  people = async (prefix) => (await this.api.get(`v1/users?limit=30&prefix=${encodeURIComponent(prefix)}`)).users;

  async start(users, title = '') {
    const direct = users.length === 1 && !title;
    const body = direct ? { kind: 'direct', members: users } : { kind: 'group', title, members: users };
    this.#known(await this.api.post('v1/conversations', body), true);
  }

  #known(conversation, show = false) {
    this.#set(fold.withConversation(this.state, conversation));
    if (show) this.open(conversation.id);
    else if (conversation.id === this.ui.open) this.load(conversation.id);
  }

  // The events of these changes arrive by themselves.
  rename = (id, title) => this.api.patch(conversationPath(id), { title });
  addMembers = (id, users) => this.api.post(conversationPath(id, '/members'), { users });
  removeMember = (id, user) => this.api.remove(conversationPath(id, `/members/${encodeURIComponent(user)}`));
  members = (id, after) => this.api.get(conversationPath(id, `/members?limit=100${after ? `&after=${encodeURIComponent(after)}` : ''}`));

  setPresence(status) {
    this.#tell({ op: 'presence', status }, 'v1/presence', 'PUT');
    this.#set({ ...this.state, presence: new Map(this.state.presence).set(this.state.me.id, status) });
  }

  get unread() {
    return [...this.state.conversations.values()].reduce((sum, conversation) => sum + conversation.unread, 0);
  }
}

function deviceName() {
  const browser = /Edg\//.test(navigator.userAgent) ? 'Edge' : /Firefox\//.test(navigator.userAgent) ? 'Firefox' : /Chrome\//.test(navigator.userAgent) ? 'Chrome' : 'Safari';
  return `${browser} /demo`;
}

/** The key of the sentence for a failure; the server's own detail is for people too, and is shown when we have none. */
export function sentence(error, t) {
  if (error instanceof Unreachable) return t('unreachable');
  if (!(error instanceof Problem)) throw error;
  if (error.code === 'wrong-password') return t('wrong_password');
  if (error.code === 'too-large') return t('too_long');
  if (error.code === 'rate-limited') return t('rate_limited', { seconds: Math.ceil(error.retryAfter ?? 1) });
  return error.message;
}
