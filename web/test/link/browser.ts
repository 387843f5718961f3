// What a browser has and the tests' page has not: locks and a channel between tabs, a WebSocket to a server in the same process.

import { vi } from 'vitest';

interface Waiting {
  readonly grant: () => Promise<unknown>;
  readonly refuse: (error: Error) => void;
}

/** Web Locks, as far as they are used: exclusive, with `signal` and `steal`. */
export class FakeLocks {
  readonly #held = new Map<string, Waiting>();
  readonly #queues = new Map<string, Waiting[]>();

  request(name: string, { signal, steal }: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const refused = (): Error => new DOMException('aborted', 'AbortError');
      const waiting: Waiting = { grant: () => held().then(resolve, reject), refuse: reject };
      if (signal?.aborted) return reject(refused());
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      if (steal) {
        this.#held.get(name)?.refuse(refused());
        this.#held.delete(name);
        queue.unshift(waiting);
      } else queue.push(waiting);
      signal?.addEventListener('abort', () => {
        const at = queue.indexOf(waiting);
        if (at < 0) return;
        queue.splice(at, 1);
        reject(refused());
      });
      void this.#next(name);
    });
  }

  async query(): Promise<{ held: { name: string }[] }> {
    return { held: [...this.#held.keys()].map((name) => ({ name })) };
  }

  async #next(name: string): Promise<void> {
    await Promise.resolve();
    if (this.#held.has(name)) return;
    const waiting = this.#queues.get(name)?.shift();
    if (!waiting) return;
    this.#held.set(name, waiting);
    await waiting.grant();
    if (this.#held.get(name) !== waiting) return;
    this.#held.delete(name);
    void this.#next(name);
  }
}

const channels = new Set<FakeChannel>();

/** A BroadcastChannel whose messages are copies, and come later. */
export class FakeChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(readonly name: string) {
    channels.add(this);
  }

  postMessage(message: unknown): void {
    const copy = structuredClone(message);
    for (const other of channels) {
      if (other !== this && other.name === this.name) queueMicrotask(() => channels.has(other) && other.onmessage?.({ data: structuredClone(copy) }));
    }
  }

  close(): void {
    channels.delete(this);
  }
}

export function shareTabs(): void {
  channels.clear();
  Object.defineProperty(navigator, 'locks', { value: new FakeLocks(), configurable: true });
  vi.stubGlobal('BroadcastChannel', FakeChannel);
}

export function withoutTabs(): void {
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
}

export function hide(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

/** What the browser does in the other tabs, which share the storage but not this. */
export function elsewhere(key: string, value: string | null): void {
  if (value === null) localStorage.removeItem(key);
  else localStorage.setItem(key, value);
  dispatchEvent(new StorageEvent('storage', { key, newValue: value }));
}

/** Lets everything happen that needs no time. */
export async function settle(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}
