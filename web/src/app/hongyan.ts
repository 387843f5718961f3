// What components work with. The one object behind it is made in `store.ts`; components get it by `useHongyan()`.

import { inject, type InjectionKey, type ShallowRef } from 'vue';

import type { Act, Content, Conversation, Id, Known, OwnAct, SentContent, Seq, Time } from '@/core/model';
import type { Api } from '@/link/api';

export type Transport = 'ws' | 'sse' | 'long' | 'short';

/** The connection, as it is shown. */
export interface LinkView {
  readonly phase: 'idle' | 'connecting' | 'open' | 'waiting' | 'stopped';
  /** Which transport is in use, or tried. */
  readonly transport: Transport;
  /** Null: chosen by itself, WebSocket first. */
  readonly forced: Transport | null;
  /** When it is tried again, while `waiting`. */
  readonly until: Time | null;
  /** Another tab of this browser holds the connection for this one. */
  readonly shared: boolean;
  readonly online: boolean;
}

/** A message on its way. */
export interface Outgoing {
  readonly client_id: string;
  readonly conversation: Id;
  readonly content: SentContent;
  /** What it looks like until the event is there. */
  readonly shown: Content;
  readonly time: Time;
  readonly status: 'waiting' | 'sending' | 'failed';
  /** Why, as the server says it. */
  readonly detail: string | null;
}

export interface Session {
  readonly user: Id;
  readonly name: string;
  readonly token: string;
  readonly token_id: string;
  readonly device: string;
}

/** The content of a `reminder` event. */
export interface Reminder {
  readonly id: string;
  readonly conversation: Id;
  readonly seq: Seq;
  readonly note?: string;
}

export interface Hongyan {
  readonly api: Api;
  /** Null: nobody is logged in. */
  readonly session: Readonly<ShallowRef<Session | null>>;
  readonly known: Readonly<ShallowRef<Known>>;
  readonly link: Readonly<ShallowRef<LinkView>>;
  readonly outgoing: Readonly<ShallowRef<readonly Outgoing[]>>;
  /** False until there is a snapshot, of the cache or of the server. */
  readonly ready: Readonly<ShallowRef<boolean>>;

  /** Throws Problem (wrong password, ...) and Unreachable. */
  login(username: string, password: string): Promise<{ changePassword: boolean }>;
  /** Empties the browser and ends the token. False: the server does not know yet, and is told when it can be reached. */
  logout(): Promise<boolean>;
  force(transport: Transport | null): void;
  retryNow(): void;

  /** What a request answered, before its event is there. */
  take(conversation: Conversation): void;
  /** The newest page, unless something is loaded. */
  load(conversation: Id): Promise<void>;
  loadOlder(conversation: Id): Promise<void>;
  loadNewer(conversation: Id): Promise<void>;
  /** A page around a message, in place of what is loaded; `loadNewest` goes back to the end. */
  loadAround(conversation: Id, seq: Seq): Promise<void>;
  loadNewest(conversation: Id): Promise<void>;

  /** Goes out once, in order, also after a reload; `outgoing` shows it until its event is there. */
  send(conversation: Id, content: SentContent, shown?: Content): void;
  resend(client_id: string): void;
  discard(client_id: string): void;

  /** Shown at once, taken back when it is refused. Throws Problem and Unreachable. */
  act(conversation: Id, act: Act): Promise<void>;
  /** A draft is kept at once, and told when that is possible. */
  own(act: OwnAct): Promise<void>;
  read(conversation: Id, seq: Seq): void;
  /** From now on `known.bookmarks` is there as soon as it can be. */
  wantBookmarks(): void;
  /** Reminders that become due while one is here. Gives a way to end it. */
  onDue(tell: (reminder: Reminder) => void): () => void;
  typing(conversation: Id): void;
}

export const hongyanKey: InjectionKey<Hongyan> = Symbol('hongyan');

export function useHongyan(): Hongyan {
  const found = inject(hongyanKey);
  if (!found) throw new Error('There is no Hongyan above this component');
  return found;
}
