// Messages on their way. Each is kept in localStorage under a key of its own, so that no reload, closed tab or other tab loses
// one, and the browser itself tells the other tabs of it. Only the tab that leads sends: one at a time for each conversation,
// so that they arrive in the order they were written, each under one client_id for all its tries, so that none arrives twice.

import type { Outgoing } from '@/app/hongyan';
import type { Content, Id, SentContent } from '@/core/model';

import { Problem } from './api';
import { uuid7 } from './ids';
import { sleep } from './transports';

const KEY = 'hongyan.out.';
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/** As it is kept. Of `status` only `failed` and not failed are kept: what is being sent changes with the tab that sends. */
interface Entry extends Outgoing {
  /** The server's answer: stored, at this position of the log. Its event is still to come. */
  readonly position?: number;
}

export type Post = (entry: Outgoing) => Promise<{ position: number }>;

export class Outbox {
  readonly #prefix: string;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();
  /** Conversations that are worked on now, by who leads. */
  readonly #busy = new Set<Id>();
  /** Messages that no other tab can know of, for want of room: this one sends them, leading or not. */
  readonly #unkept = new Set<string>();
  /** Aborted when it may work again: those who wait for their next try go on. */
  #pause = new AbortController();
  #leads = false;

  constructor(
    user: Id,
    private readonly post: Post,
    private readonly changed: (outgoing: readonly Outgoing[]) => void,
  ) {
    this.#prefix = prefixOf(KEY, user);
    for (const key of keysOf(this.#prefix)) this.#read(key, localStorage.getItem(key));
    window.addEventListener('storage', (event) => this.#elsewhere(event), { signal: this.#closing.signal });
    this.#show();
  }

  /** Forgets everything that is on its way, of whomever: nobody else is to find it. */
  static empty(): void {
    for (const key of keysOf(KEY)) localStorage.removeItem(key);
  }

  close(): void {
    this.#closing.abort();
    this.#pause.abort();
    this.#leads = false;
  }

  /** Whether this tab sends. */
  lead(leads: boolean): void {
    this.#leads = leads;
    if (leads) this.resume();
  }

  /** The connection stands again: nobody waits any longer. */
  resume(): void {
    this.#pause.abort();
    this.#pause = new AbortController();
    for (const { conversation } of this.#entries.values()) void this.#work(conversation);
  }

  add(conversation: Id, content: SentContent, shown: Content): Outgoing {
    const now = Date.now();
    const entry: Entry = { client_id: uuid7(now), conversation, content, shown, time: now, status: 'waiting', detail: null };
    this.#set(entry);
    void this.#work(conversation);
    return entry;
  }

  resend(client_id: string): void {
    const entry = this.#entries.get(client_id);
    if (entry?.status !== 'failed') return;
    this.#set({ ...entry, status: 'waiting', detail: null });
    void this.#work(entry.conversation);
  }

  discard(client_id: string): void {
    this.#drop(client_id);
  }

  /** What is there now needs no place here: its event has come, or the log is known to behind it. */
  settle(arrived: readonly string[], known: number): void {
    const there = new Set(arrived);
    for (const { client_id, position = Infinity } of [...this.#entries.values()]) {
      if (there.has(client_id) || position <= known) this.#drop(client_id);
    }
  }

  #set(entry: Entry, keep = true): void {
    this.#entries.set(entry.client_id, entry);
    if (keep) this.#keep(entry);
    this.#show();
  }

  /** Without room it goes out as long as this tab lives. */
  #keep(entry: Entry): void {
    try {
      localStorage.setItem(this.#prefix + entry.client_id, JSON.stringify(entry));
      this.#unkept.delete(entry.client_id);
    } catch {
      this.#unkept.add(entry.client_id);
    }
  }

  #drop(client_id: string): void {
    if (!this.#entries.delete(client_id)) return;
    this.#unkept.delete(client_id);
    localStorage.removeItem(this.#prefix + client_id);
    this.#show();
  }

  #show(): void {
    this.changed([...this.#entries.values()].sort((a, b) => (a.client_id < b.client_id ? -1 : 1)));
  }

  #read(key: string, value: string | null): Entry | null {
    try {
      const kept = JSON.parse(value ?? 'null') as Entry | null;
      if (typeof kept?.client_id !== 'string' || typeof kept.conversation !== 'string') return null;
      const entry: Entry = { ...kept, status: kept.status === 'failed' ? 'failed' : 'waiting' };
      this.#entries.set(entry.client_id, entry);
      return entry;
    } catch {
      localStorage.removeItem(key);
      return null;
    }
  }

  /** Another tab wrote, gave up, resent or saw arrive. */
  #elsewhere({ key, newValue }: StorageEvent): void {
    if (!key?.startsWith(this.#prefix)) return;
    if (newValue === null) this.#entries.delete(key.slice(this.#prefix.length));
    else {
      const entry = this.#read(key, newValue);
      if (entry) void this.#work(entry.conversation);
    }
    this.#show();
  }

  #next(conversation: Id): Entry | undefined {
    const mine = ({ client_id }: Entry): boolean => !this.#closing.signal.aborted && (this.#leads || this.#unkept.has(client_id));
    const waits = (entry: Entry): boolean => entry.conversation === conversation && entry.status !== 'failed' && entry.position === undefined;
    return [...this.#entries.values()].filter((entry) => waits(entry) && mine(entry)).sort((a, b) => (a.client_id < b.client_id ? -1 : 1))[0];
  }

  async #work(conversation: Id): Promise<void> {
    if (this.#busy.has(conversation)) return;
    this.#busy.add(conversation);
    let failures = 0;
    for (let entry = this.#next(conversation); entry; entry = this.#next(conversation)) {
      const wait = await this.#try(entry, failures);
      failures = wait === null ? 0 : failures + 1;
      if (wait !== null) await sleep(wait, this.#pause.signal);
    }
    this.#busy.delete(conversation);
  }

  /** Null: it is done with, in one way or the other. Else how long to wait. */
  async #try(entry: Entry, failures: number): Promise<number | null> {
    this.#set({ ...entry, status: 'sending' }, false);
    try {
      const { position } = await this.post(entry);
      this.#mark(entry, { position });
      return null;
    } catch (error) {
      if (error instanceof Problem && !error.passing) {
        this.#mark(entry, { status: 'failed', detail: error.detail });
        return null;
      }
      this.#mark(entry, { status: 'waiting' });
      const told = error instanceof Problem ? (error.retryAfter ?? 0) * 1000 : 0;
      return Math.max(told, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + Math.random() / 2));
    }
  }

  /** Unless it was discarded, or its event came, while it was sent. */
  #mark({ client_id }: Entry, by: Partial<Entry>): void {
    const now = this.#entries.get(client_id);
    if (now && !this.#closing.signal.aborted) this.#set({ ...now, ...by });
  }
}

/** No id of a user has a colon in it, so that of `li` is not a part of that of `li.wei`. */
export const prefixOf = (key: string, user: Id): string => `${key}${user}:`;

export const keysOf = (prefix: string): string[] => Object.keys(localStorage).filter((key) => key.startsWith(prefix));
