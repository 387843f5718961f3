// The one object behind every component: joins requests, the feed of changes, the outbox, the cache and what is known.

import { shallowRef } from 'vue';

import { withConversation } from '@/core/fold';
import type { Content, Event, Id, SentContent } from '@/core/model';
import { actShown, ownShown } from '@/core/shown';
import { Api, conversationPath } from '@/link/api';
import { Cache } from '@/link/cache';
import { Feed, type Online } from '@/link/feed';
import { Outbox } from '@/link/outbox';

import type { Hongyan, LinkView, Outgoing, Reminder, Session } from './hongyan';
import { Asking } from './store/asking';
import { Bookmarks } from './store/bookmarks';
import { Drafts } from './store/drafts';
import { early, type Early } from './store/early';
import { endToken, endTokens } from './store/leaving';
import { Pages } from './store/pages';
import { Pending } from './store/pending';
import { deviceName, keepSession, onSessionElsewhere, readSession } from './store/session';
import { State } from './store/state';
import { Telling } from './store/telling';

/** What the beginning of the page needs besides. */
export interface Store extends Hongyan {
  /** This tab speaks for all: it alone notifies. */
  readonly leads: boolean;
  /** A person looks at this conversation, in this tab. */
  look(conversation: Id | null): void;
  /** Whether a person looks at it, or at anything, in any tab. */
  looked(conversation?: Id): boolean;
  /** Messages and replies as they come, after they are known. Gives a way to end it. */
  onSaid(tell: (events: readonly Event<Content>[]) => void): () => void;
  /** Ends everything, for tests. */
  close(): void;
}

interface LoggedIn {
  readonly token: string;
  readonly token_id: string;
  readonly user_id: Id;
  readonly name: string;
  readonly device: string;
  readonly change_password: boolean;
}

const WRITE_AFTER = 2_000;
const DUE = 5 * 60_000; // a reminder of before stands among what was saved
const STALE = 3 * 24 * 3_600_000; // after so long a snapshot is less to load than everything since
const NO_LINK: LinkView = { phase: 'idle', transport: 'ws', forced: null, until: null, shared: false, online: navigator.onLine };

export interface Beginning {
  readonly api?: Api;
  /** For this log-in and no other, apart from the other tabs of the browser, and nothing is kept. */
  readonly alone?: Session;
  readonly cache?: Cache;
  /** What was asked for already, for the log-in that there is. */
  readonly asked?: Early | null;
  /** The conversation that is open. */
  readonly place?: Id | null;
}

export function createHongyan({ api = new Api(), cache = new Cache(), alone, asked = null, place = null }: Beginning = {}): Store {
  const session = shallowRef<Session | null>(null);
  const link = shallowRef<LinkView>(NO_LINK);
  const outgoing = shallowRef<readonly Outgoing[]>([]);
  const closing = new AbortController();
  const listeners = new Set<(events: readonly Event<Content>[]) => void>();
  const waiting = new Set<(reminder: Reminder) => void>();
  let feed: Feed | null = null;
  let outbox: Outbox | null = null;
  let turn = 0;
  let writing: ReturnType<typeof setTimeout> | undefined;

  const pending = new Pending(() => state.show());
  const state = new State({ over: (known) => pending.over(known), changed });
  const asking = new Asking(api, state, () => feed);
  const pages = new Pages(api, state, (events) => asking.names(events));
  const bookmarks = new Bookmarks(api, state);
  const drafts = new Drafts(api, pending);
  const telling = new Telling(api, state, pending, () => feed);

  // What happens by itself

  function changed(events: readonly Event[]): void {
    const { me, position } = state.base;
    const mine = events.flatMap(({ sender, client_id }) => (client_id && sender === me?.id ? [client_id] : []));
    outbox?.settle(mine, position);
    asking.wanted();
    asking.names(events);
    pages.again();
    bookmarks.again();
    if (feed?.leads) writing ??= setTimeout(idly, WRITE_AFTER);
    const said = events.filter(({ type }) => type === 'message' || type === 'reply');
    if (said.length) for (const tell of listeners) tell(said);
    const due = events.filter(({ type, time }) => type === 'reminder' && Date.now() - time < DUE);
    for (const { content } of due) for (const tell of waiting) tell(content as Reminder);
  }

  function idly(): void {
    if ('requestIdleCallback' in globalThis && !document.hidden) requestIdleCallback(() => write(), { timeout: 2_000 });
    else write();
  }

  function write(): void {
    if (writing === undefined) return;
    clearTimeout(writing);
    writing = undefined;
    const user = alone ? undefined : session.value?.user;
    const kept = user && feed?.leads ? state.kept() : null;
    if (user && kept) void cache.write(user, kept);
  }

  async function opened(): Promise<void> {
    if (!alone) endTokens(api.root);
    outbox?.resume();
    telling.tellMarks();
    drafts.tell();
    telling.again();
    pages.again(true);
    bookmarks.again(true);
    asking.wanted();
    const here = feed;
    const { users } = await api.get<{ users: readonly Online[] }>('v1/online');
    if (here === feed && feed?.leads) feed.tell({ type: 'online', users });
  }

  function view(next: LinkView): void {
    const stands = next.phase === 'open' && link.value.phase !== 'open';
    link.value = next;
    if (!stands || !next.shared) return;
    outbox?.resume();
    telling.tellMarks(); // the tab that leads does more: `opened`
    drafts.tell();
    pages.again(true);
    bookmarks.again(true);
  }

  /** Who is embedded tells nobody whether they are there. */
  function looked(): void {
    if (!alone) telling.looked();
  }

  // Who is logged in

  async function begin(next: Session): Promise<void> {
    const mine = (turn += 1);
    session.value = next;
    api.token = next.token;
    outbox = new Outbox(
      next.user,
      ({ conversation, client_id, content }) => {
        const socket = feed?.socket;
        if (socket) return socket.ask({ op: 'send', conversation, client_id, content });
        return api.post(conversationPath(conversation, '/messages'), { client_id, content });
      },
      (all) => (outgoing.value = all),
    );
    drafts.begin(next.user);
    const { kept, snapshot, page } = asked?.token === next.token ? asked : early(api, alone ? null : cache, next, place);
    asked = null;
    if (place) pages.foresee(place, page);
    const before = await kept;
    if (mine !== turn) return;
    feed = new Feed(alone ? null : next.user, api, snapshot, {
      change: (change) => state.take(change),
      kept: () => state.kept(),
      leads: (leads) => {
        outbox?.lead(leads);
        looked();
      },
      opened: () => void opened().catch(() => {}),
      looked,
      login: () => ended(),
      view,
    });
    if (before) state.restore(before, Date.now() - before.time > STALE);
    feed.look(place);
    feed.start();
  }

  function end(): void {
    turn += 1;
    clearTimeout(writing);
    writing = undefined;
    feed?.stop();
    outbox?.close();
    feed = outbox = null;
    for (const part of [asking, pages, bookmarks, telling, drafts, pending]) part.clear();
    api.token = null;
    session.value = null;
    outgoing.value = [];
    link.value = { ...NO_LINK, online: navigator.onLine };
    state.reset();
  }

  /** The token has ended. What was written and not sent is kept for the next log-in. */
  function ended(): void {
    if (!session.value) return;
    if (!alone) keepSession(null);
    end();
    if (!alone) void cache.empty();
  }

  api.onEnded = ended;
  onSessionElsewhere((next) => {
    if (alone || next?.token === session.value?.token) return;
    if (session.value) end();
    if (next) void begin(next);
    else void cache.empty();
  }, closing.signal);
  const leave = (): void => {
    telling.leave();
    write();
  };
  document.addEventListener('visibilitychange', () => document.hidden && leave(), { signal: closing.signal });
  addEventListener('pagehide', leave, { signal: closing.signal });

  if (!alone) {
    endTokens(api.root);
    addEventListener('online', () => endTokens(api.root), { signal: closing.signal });
  }
  const there = alone ?? readSession();
  if (there) void begin(there);

  return {
    api,
    session,
    known: state.known,
    ready: state.ready,
    link,
    outgoing,

    async login(username, password) {
      const answer = await api.post<LoggedIn>('v1/login', { username, password, device: deviceName() });
      const { user_id: user, name, token, token_id, device } = answer;
      const next: Session = { user, name, token, token_id, device };
      if (session.value) end();
      keepSession(next);
      void begin(next);
      return { changePassword: answer.change_password };
    },

    async logout() {
      const token = session.value?.token;
      if (token === undefined) return true;
      keepSession(null);
      end();
      Outbox.empty();
      Drafts.empty();
      const [ended] = await Promise.all([endToken(api.root, token), cache.empty()]);
      return ended;
    },

    force: (transport) => feed?.force(transport),
    retryNow: () => feed?.retryNow(),

    take: (conversation) => state.change((known) => withConversation(known, conversation)),
    load: (conversation) => pages.load(conversation),
    loadOlder: (conversation) => pages.older(conversation),
    loadNewer: (conversation) => pages.newer(conversation),
    loadAround: (conversation, seq) => pages.around(conversation, seq),
    loadNewest: (conversation) => pages.newest(conversation),

    send(conversation, content, shown = shownOf(content)) {
      outbox?.add(conversation, content, shown);
      telling.sent(conversation);
    },
    resend: (client_id) => outbox?.resend(client_id),
    discard: (client_id) => outbox?.discard(client_id),

    act(conversation, act) {
      const now = Date.now();
      return pending.during(
        (known) => actShown(known, conversation, act, now),
        () => api.post(conversationPath(conversation, '/acts'), { act }),
      );
    },
    async own(act) {
      if (act.type === 'draft') return drafts.keep(act);
      const now = Date.now();
      if (act.type === 'unread') telling.unread(act.conversation);
      return pending.during(
        (known) => ownShown(known, act, now),
        () => api.post('v1/me/acts', { act }),
      );
    },
    wantBookmarks: () => bookmarks.want(),
    read: (conversation, seq) => telling.read(conversation, seq),
    onDue(tell) {
      waiting.add(tell);
      return () => waiting.delete(tell);
    },
    typing: (conversation) => telling.typing(conversation),

    get leads() {
      return feed?.leads ?? false;
    },
    look(conversation) {
      if (conversation !== place) telling.leave();
      place = conversation;
      feed?.look(conversation);
    },
    looked: (conversation) => feed?.looked(conversation) ?? false,
    onSaid(tell) {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    close() {
      write();
      closing.abort();
      end();
      cache.close();
    },
  };
}

/** A forward is put together by the server: until then, what its sender wrote to it. */
function shownOf(content: SentContent): Content {
  if (content.type !== 'forward') return content;
  return { type: 'forward', title: null, items: [], ...(content.text === undefined ? {} : { text: content.text }) };
}
