// The tabs of one browser: one of them leads, and each knows which of them a person looks at.
// Where the browser cannot do that (no locks, as without TLS; no channel) every tab leads itself.

import type { Id } from '@/core/model';

type Wire<M> =
  | { readonly from: string; readonly word: 'say'; readonly message: M }
  /** A person looks at this tab, at this place in it. */
  | { readonly from: string; readonly word: 'seen'; readonly place: string | null }
  | { readonly from: string; readonly word: 'unseen' }
  /** From the leader: I live; and: who is looked at? */
  | { readonly from: string; readonly word: 'here' | 'roll' };

type Word<M> = Wire<M> extends infer W ? (W extends unknown ? Omit<W, 'from'> : never) : never;

export interface TabListener<M> {
  /** From now on this tab leads. */
  lead(): void;
  /** Another tab took the lead, because this one was silent. */
  follow(): void;
  /** Another tab has begun to lead. */
  led(): void;
  hear(message: M): void;
  /** What a person looks at has changed, in this tab or another. */
  looked(): void;
}

const ALIVE = 3_000; // a leader that does not answer within this is frozen

export const tabsOf = (user: Id): string => `hongyan.${user}`;

/** Whether one of the tabs of this name leads. */
export async function isLed(name: string): Promise<boolean> {
  return ((await navigator.locks?.query())?.held ?? []).some((lock) => lock.name === name);
}

export class Tabs<M> {
  readonly #id = crypto.randomUUID();
  readonly #channel: BroadcastChannel | null;
  readonly #closing = new AbortController();
  /** Tabs that are looked at, and the place in each. */
  readonly #looks = new Map<string, string | null>();
  /** Other tabs whose end is waited for. */
  readonly #others = new Set<string>();
  /** Others can tell when this tab ends. */
  #lives = false;
  #place: string | null = null;
  #leads = false;
  #release = (): void => {};
  #queue = new AbortController();
  #doubt: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** Null: this tab is alone. In frames of other sites browsers may refuse locks. */
    private readonly name: string | null,
    private readonly on: TabListener<M>,
  ) {
    const { signal } = this.#closing;
    const shared = 'BroadcastChannel' in globalThis && Boolean(navigator.locks);
    this.#channel = shared && name !== null ? new BroadcastChannel(name) : null;
    if (this.#channel) this.#channel.onmessage = ({ data }: MessageEvent<Wire<M>>) => this.#hear(data);
    document.addEventListener('visibilitychange', () => this.#look(), { signal });
    window.addEventListener('pagehide', () => this.#post({ word: 'unseen' }), { signal });
    window.addEventListener('pageshow', ({ persisted }) => persisted && this.#look(), { signal });
  }

  /** Apart from making it, so that who listens is ready. */
  join(): void {
    if (this.#channel) {
      this.#live();
      this.#stand();
    } else this.#lead();
    this.#look();
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** Whether a person looks at one of the tabs; at this place in it, if one is named. */
  looked(place?: string): boolean {
    return place === undefined ? this.#looks.size > 0 : [...this.#looks.values()].includes(place);
  }

  look(place: string | null): void {
    this.#place = place;
    this.#look();
  }

  say(message: M): void {
    this.#post({ word: 'say', message } as Word<M>);
  }

  close(): void {
    this.#post({ word: 'unseen' });
    this.#closing.abort();
    this.#queue.abort();
    clearTimeout(this.#doubt);
    this.#leads = false;
    this.#release();
    this.#channel?.close();
  }

  #post(word: Word<M>): void {
    if (!this.#closing.signal.aborted) this.#channel?.postMessage({ ...word, from: this.#id });
  }

  #hear(wire: Wire<M>): void {
    if (wire.word === 'say') return this.on.hear(wire.message);
    if (wire.word === 'roll') {
      if (!document.hidden) this.#look();
      return this.on.led();
    }
    if (wire.word === 'here') return clearTimeout(this.#doubt);
    if (wire.word === 'seen') {
      this.#looks.set(wire.from, wire.place);
      this.#await(wire.from);
    } else this.#looks.delete(wire.from);
    if (wire.word === 'seen' && this.#leads) this.#post({ word: 'here' });
    this.on.looked();
  }

  #look(): void {
    if (document.hidden) {
      this.#looks.delete(this.#id);
      this.#post({ word: 'unseen' });
    } else {
      this.#looks.set(this.#id, this.#place);
      if (this.#lives) this.#post({ word: 'seen', place: this.#place });
      if (this.#lives && !this.#leads) this.#doubtLeader();
    }
    this.on.looked();
  }

  /** A lock of its own for as long as the tab lives: one that crashes says no word, but its lock becomes free. */
  #live(): void {
    const { signal } = this.#closing;
    const held = (): Promise<void> => {
      this.#lives = true;
      this.#look();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    navigator.locks.request(`${this.name}.${this.#id}`, { signal }, held).catch(() => {});
  }

  #await(other: string): void {
    if (this.#others.has(other)) return;
    this.#others.add(other);
    const gone = async (): Promise<void> => {
      this.#others.delete(other);
      if (this.#looks.delete(other)) this.on.looked();
    };
    navigator.locks.request(`${this.name}.${other}`, { signal: this.#closing.signal }, gone).catch(() => {});
  }

  /** A browser may freeze a tab in the background, with the lock in its hands. */
  #doubtLeader(): void {
    clearTimeout(this.#doubt);
    this.#doubt = setTimeout(() => this.#stand(true), ALIVE);
  }

  #stand(steal = false): void {
    this.#queue.abort();
    const queue = (this.#queue = new AbortController());
    const held = (): Promise<void> =>
      new Promise((resolve) => {
        if (queue.signal.aborted) return resolve();
        this.#release = resolve;
        this.#lead();
      });
    navigator.locks.request(this.name ?? '', steal ? { steal } : { signal: queue.signal }, held).catch(() => {
      // Aborted by ourselves, or stolen by a tab that waited for an answer in vain.
      if (queue.signal.aborted || !this.#leads) return;
      this.#leads = false;
      this.on.follow();
      this.#stand();
    });
  }

  #lead(): void {
    clearTimeout(this.#doubt);
    this.#leads = true;
    this.#post({ word: 'roll' });
    this.on.lead();
  }
}
