// Where changes come from: the server when this tab leads, else the tab that does. Every tab takes the same changes in the
// same order, so all of them know the same.

import type { LinkView, Transport } from '@/app/hongyan';
import type { Conversation, Id, Known, Person, Presence, Snapshot, StatusText } from '@/core/model';

import type { Api } from './api';
import { Link } from './link';
import { Tabs, tabsOf } from './tabs';
import type { Batch, Socket } from './transports';

/** Everything that is known, as of a cursor. */
export interface Kept {
  readonly cursor: string;
  readonly known: Known;
}

/** As `GET /v1/online` gives it. */
export interface Online extends Person {
  readonly status: Presence;
  readonly status_text?: StatusText | null;
}

export type Change =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'batch'; readonly batch: Batch }
  | { readonly type: 'conversation'; readonly conversation: Conversation }
  | { readonly type: 'online'; readonly users: readonly Online[] }
  | { readonly type: 'kept'; readonly kept: Kept };

type Message =
  | Change
  /** To the leader: I am new, what is known? */
  | { readonly type: 'hello' }
  | { readonly type: 'view'; readonly view: LinkView }
  | { readonly type: 'force'; readonly transport: Transport | null }
  | { readonly type: 'retry' };

export interface FeedListener {
  change(change: Change): void;
  /** What this tab knows, with all changes so far in it. Null: nothing that could be continued. */
  kept(): Kept | null;
  /** This tab leads now, or no more. */
  leads(leads: boolean): void;
  /** The connection of this tab stands, the first or another one. */
  opened(): void;
  view(view: LinkView): void;
  /** What a person looks at, in any tab, has changed. */
  looked(): void;
  /** The token has ended. */
  login(): void;
}

export class Feed {
  readonly #link: Link;
  readonly #tabs: Tabs<Message>;
  /** A follower takes no changes before it knows what they change. */
  #joined = false;

  constructor(
    /** Null: apart from the other tabs. */
    user: Id | null,
    api: Api,
    /** A snapshot that was asked for already. */
    early: Promise<Snapshot | null> | null,
    private readonly on: FeedListener,
  ) {
    this.#link = new Link(api, early, {
      snapshot: (snapshot) => this.tell({ type: 'snapshot', snapshot }),
      take: (batch) => this.tell({ type: 'batch', batch }),
      opened: () => on.opened(),
      login: () => on.login(),
      changed: (view) => {
        if (!this.leads) return;
        this.#tabs.say({ type: 'view', view });
        on.view(view);
      },
    });
    this.#tabs = new Tabs(user === null ? null : tabsOf(user), {
      lead: () => this.#lead(),
      follow: () => this.#follow(),
      led: () => this.#ask(),
      hear: (message) => this.#hear(message),
      looked: () => on.looked(),
    });
  }

  start(): void {
    this.#tabs.join();
    this.#ask();
  }

  stop(): void {
    this.#tabs.close();
    this.#link.stop();
  }

  get leads(): boolean {
    return this.#tabs.leads;
  }

  get socket(): Socket | null {
    return this.#link.socket;
  }

  looked(conversation?: Id): boolean {
    return this.#tabs.looked(conversation);
  }

  look(conversation: Id | null): void {
    this.#tabs.look(conversation);
  }

  /** A change that the leader brings about, here and in the other tabs. */
  tell(change: Change): void {
    this.#tabs.say(change);
    this.on.change(change);
  }

  force(transport: Transport | null): void {
    if (this.leads) this.#link.force(transport);
    else this.#tabs.say({ type: 'force', transport });
  }

  retryNow(): void {
    if (this.leads) this.#link.retryNow();
    else this.#tabs.say({ type: 'retry' });
  }

  #lead(): void {
    this.#joined = true;
    this.on.leads(true);
    this.#link.start(this.on.kept()?.cursor ?? null);
  }

  #follow(): void {
    this.#link.stop();
    this.on.leads(false);
    this.#joined = false;
    this.#ask();
  }

  #ask(): void {
    if (!this.#joined) this.#tabs.say({ type: 'hello' });
  }

  #hear(message: Message): void {
    if (this.leads) this.#obey(message);
    else if (message.type === 'view') this.#see(message.view);
    else if (message.type === 'kept' || message.type === 'snapshot') {
      // What the leader knew when another tab came is not news to a tab that has taken every change.
      if (this.#joined && message.type === 'kept') return;
      this.#joined = true;
      this.on.change(message);
    } else if (this.#joined && (message.type === 'batch' || message.type === 'conversation' || message.type === 'online')) this.on.change(message);
  }

  /** What was forced stays so when this tab leads. */
  #see(view: LinkView): void {
    if (view.forced !== this.#link.view.forced) this.#link.force(view.forced);
    this.on.view({ ...view, shared: true });
  }

  #obey(message: Message): void {
    if (message.type === 'force') this.#link.force(message.transport);
    else if (message.type === 'retry') this.#link.retryNow();
    else if (message.type === 'hello') {
      this.#tabs.say({ type: 'view', view: this.#link.view });
      const kept = this.on.kept();
      if (kept) this.#tabs.say({ type: 'kept', kept });
    }
  }
}
