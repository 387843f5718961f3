// Drafts on their way. Each is shown, and kept in localStorage, until the server has it: what could not be told is told when the
// connection stands, also after a reload.

import type { Id, OwnAct } from '@/core/model';
import { ownShown } from '@/core/shown';
import { type Api, Problem } from '@/link/api';
import { keysOf, prefixOf } from '@/link/outbox';

import type { Deed, Pending } from './pending';

type Draft = Extract<OwnAct, { type: 'draft' }>;

interface Going {
  readonly act: Draft;
  readonly deed: Deed;
}

const KEY = 'hongyan.draft.';

export class Drafts {
  #prefix = '';
  #closing = new AbortController();
  /** The newest of each place that the server has not got. */
  readonly #untold = new Map<string, Going>();
  /** Places of which one is under way: the next waits for it. */
  readonly #busy = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly pending: Pending,
  ) {}

  /** Forgets everything that was not told, whoever wrote it. */
  static empty(): void {
    for (const key of keysOf(KEY)) localStorage.removeItem(key);
  }

  begin(user: Id): void {
    this.#prefix = prefixOf(KEY, user);
    this.#closing = new AbortController();
    for (const key of keysOf(this.#prefix)) this.#read(key);
    window.addEventListener('storage', (event) => this.#elsewhere(event), { signal: this.#closing.signal });
  }

  clear(): void {
    this.#closing.abort();
    this.#prefix = '';
    this.#untold.clear();
  }

  /** Whose they would be is not told: nobody's once a log-in has ended. */
  keep(act: Draft): void {
    if (!this.#prefix) return;
    const place = keyOf(act);
    const now = Date.now();
    this.#show(place, act, now);
    try {
      localStorage.setItem(this.#prefix + place, JSON.stringify({ act, time: now }));
    } catch {
      // No room: it is told as long as this tab lives.
    }
    void this.#tell(place);
  }

  tell(): void {
    for (const place of this.#untold.keys()) void this.#tell(place);
  }

  #show(place: string, act: Draft, now: number): void {
    const before = this.#untold.get(place);
    this.#untold.set(place, { act, deed: this.pending.begin((known) => ownShown(known, act, now)) });
    if (before) this.pending.end(before.deed);
  }

  #read(key: string): void {
    try {
      const { act, time } = JSON.parse(localStorage.getItem(key) ?? '') as { act: Draft; time: number };
      this.#show(keyOf(act), act, time);
    } catch {
      localStorage.removeItem(key);
    }
  }

  /** Another tab has written on: what this one has is of before. */
  #elsewhere({ key, newValue }: StorageEvent): void {
    if (newValue === null || !key?.startsWith(this.#prefix)) return;
    const place = key.slice(this.#prefix.length);
    const going = this.#untold.get(place);
    if (!going) return;
    this.#untold.delete(place);
    this.pending.end(going.deed);
  }

  async #tell(place: string): Promise<void> {
    const going = this.#untold.get(place);
    if (!going || this.#busy.has(place)) return;
    const isNewest = (): boolean => this.#untold.get(place) === going;
    this.#busy.add(place);
    try {
      const { position } = await this.api.post<{ position: number }>('v1/me/acts', { act: going.act });
      if (isNewest()) this.#forget(place);
      this.pending.become(going.deed, position);
    } catch (error) {
      if (error instanceof Problem && error.passing) setTimeout(() => void this.#tell(place), (error.retryAfter ?? 2) * 1000);
      // One that is refused stays too, as long as it is somebody's words.
      else if (error instanceof Problem && going.act.text === undefined && isNewest()) {
        this.#forget(place);
        this.pending.end(going.deed);
      }
    }
    this.#busy.delete(place);
    if (!isNewest()) void this.#tell(place);
  }

  #forget(place: string): void {
    this.#untold.delete(place);
    localStorage.removeItem(this.#prefix + place);
  }
}

const keyOf = ({ conversation, thread }: Draft): string => `${conversation} ${thread ?? ''}`;
