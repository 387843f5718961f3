// Messages on their way: one at a time for each conversation, so that they arrive in the order they were written,
// each under one client_id for all its tries, so that none arrives twice. Survives a reload of the page.

import { Problem } from './api.js';

const KEPT = 'hongyan.outbox';
const TRIES = [500, 1_000, 2_000];

let lastTime = 0;
let counter = 0;

/** A UUIDv7: ids that grow with time cost the server least. */
export function uuid7(now = Date.now()) {
  counter = now > lastTime ? 0 : counter + 1;
  lastTime = Math.max(now, lastTime);
  const random = crypto.getRandomValues(new Uint8Array(8));
  random[0] = 0x80 | (random[0] & 0x3f);
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = lastTime.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${(counter & 0xfff).toString(16).padStart(3, '0')}-${hex.slice(0, 4)}-${hex.slice(4)}`;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const hopeless = (error) => error instanceof Problem && error.retryAfter == null && (error.status || 400) < 500 && !TRANSIENT.has(error.code);
const TRANSIENT = new Set(['rate-limited', 'overloaded', 'store-unavailable', 'internal', 'not-authenticated']);

export class Outbox {
  /** `post(entry)` sends once; `changed()` is told after each change. */
  constructor(post, changed) {
    this.post = post;
    this.changed = changed;
    this.entries = [];
    this.busy = new Set();
  }

  /** After a reload of the page: what had no answer yet is sent again under its old id. */
  restore(owner) {
    this.owner = owner;
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
    this.entries = kept?.owner === owner ? kept.entries : [];
    this.resume();
  }

  clear() {
    this.entries = [];
    sessionStorage.removeItem(KEPT);
  }

  add(conversation, text, now = Date.now()) {
    const entry = { client_id: uuid7(now), conversation, text, time: now, status: 'sending', detail: null };
    this.#set([...this.entries, entry]);
    this.#work(conversation);
    return entry;
  }

  retry(client_id) {
    const entry = this.entries.find((one) => one.client_id === client_id);
    if (entry?.status !== 'failed') return;
    this.#mark(entry, { status: 'sending', detail: null });
    this.#work(entry.conversation);
  }

  /** The connection stands again: what failed for want of one is tried again. */
  resume() {
    for (const entry of this.entries) if (entry.status === 'failed' && !entry.hopeless) this.#mark(entry, { status: 'sending' });
    for (const { conversation } of this.entries) this.#work(conversation);
  }

  /** The event itself has arrived, or its author thinks better of it. */
  settle(client_id) {
    if (this.entries.some((one) => one.client_id === client_id)) this.#set(this.entries.filter((one) => one.client_id !== client_id));
  }

  #set(entries) {
    this.entries = entries;
    if (entries.length) sessionStorage.setItem(KEPT, JSON.stringify({ owner: this.owner, entries }));
    else sessionStorage.removeItem(KEPT);
    this.changed();
  }

  #mark(entry, by) {
    this.#set(this.entries.map((one) => (one.client_id === entry.client_id ? { ...one, ...by } : one)));
  }

  async #work(conversation) {
    if (this.busy.has(conversation)) return;
    this.busy.add(conversation);
    try {
      for (;;) {
        const entry = this.entries.find((one) => one.conversation === conversation && one.status === 'sending');
        if (!entry) return;
        await this.#deliver(entry);
      }
    } finally {
      this.busy.delete(conversation);
    }
  }

  async #deliver(entry) {
    const wanted = () => this.entries.some((one) => one.client_id === entry.client_id);
    for (let attempt = 0; wanted(); attempt += 1) {
      try {
        const { seq } = await this.post(entry);
        return this.#mark(entry, { status: 'sent', seq });
      } catch (error) {
        if (hopeless(error) || attempt >= TRIES.length) {
          return this.#mark(entry, { status: 'failed', detail: error.code ?? null, hopeless: hopeless(error) });
        }
        await pause(Math.max(TRIES[attempt], (error.retryAfter ?? 0) * 1000));
      }
    }
  }
}
