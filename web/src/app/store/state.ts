// What is known, as of a cursor, and what is shown of it. Changes are folded once a frame at most.

import { shallowRef } from 'vue';

import { expireTyping, foldAll, foldSignal, fromSnapshot, nothing, withConversation, withOnline } from '@/core/fold';
import type { Event, Known } from '@/core/model';
import type { Change, Kept } from '@/link/feed';
import type { Batch } from '@/link/transports';

const FRAME = 200; // a browser that draws no frames is not waited for

export interface StateListener {
  /** What is shown of what is known. */
  over(known: Known): Known;
  /** After each change; `events` are those that were new. */
  changed(events: readonly Event[]): void;
}

export class State {
  readonly known = shallowRef<Known>(nothing);
  readonly ready = shallowRef(false);
  #base: Known = nothing;
  #cursor: string | null = null;
  /** Shown, but too old to be continued. */
  #stale = false;
  #queue: Change[] = [];
  #cancel: (() => void) | null = null;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly on: StateListener) {}

  /** Without what is only shown. */
  get base(): Known {
    return this.#base;
  }

  take(change: Change): void {
    const last = this.#queue.at(-1);
    if (change.type === 'batch' && last?.type === 'batch' && !last.batch.signals.length) this.#queue.splice(-1, 1, joined(last.batch, change.batch));
    else this.#queue.push(change);
    if (document.hidden || !this.ready.value) this.flush();
    else this.#schedule();
  }

  /** Null: nothing that could be continued. */
  kept(): Kept | null {
    this.flush();
    return this.#cursor === null || this.#stale ? null : { cursor: this.#cursor, known: this.#base };
  }

  restore(kept: Kept, stale: boolean): void {
    this.take({ type: 'kept', kept });
    this.#stale = stale;
  }

  change(by: (known: Known) => Known): void {
    this.flush();
    const next = by(this.#base);
    if (next === this.#base) return;
    this.#base = next;
    this.#done([]);
  }

  flush(): void {
    this.#cancel?.();
    if (!this.#queue.length) return;
    const changes = this.#queue;
    this.#queue = [];
    const events = changes.flatMap((change) => this.#apply(change));
    this.#done(events);
  }

  show(): void {
    const shown = this.on.over(this.#base);
    if (shown !== this.known.value) this.known.value = shown;
  }

  reset(): void {
    this.#cancel?.();
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    this.#queue = [];
    this.#base = nothing;
    this.#cursor = null;
    this.#stale = false;
    this.ready.value = false;
    this.show();
  }

  #done(events: readonly Event[]): void {
    this.show();
    this.ready.value = this.#cursor !== null;
    this.#expire();
    this.on.changed(events);
  }

  /** Who types and says so no more, at the time that it ends. */
  #expire(): void {
    const ends = [...this.#base.typing.values()].flatMap((people) => [...people.values()]);
    if (this.#expiry !== undefined || !ends.length) return;
    const expired = (): void => {
      this.#expiry = undefined;
      this.change((known) => expireTyping(known, Date.now()));
      this.#expire();
    };
    this.#expiry = setTimeout(expired, Math.min(...ends) - Date.now());
  }

  /** Gives the events that were new. */
  #apply(change: Change): readonly Event[] {
    switch (change.type) {
      case 'batch':
        return this.#batch(change.batch);
      case 'conversation':
        this.#base = withConversation(this.#base, change.conversation);
        break;
      case 'online':
        this.#base = withOnline(this.#base, change.users);
        break;
      case 'snapshot':
        this.#base = fromSnapshot(this.#base, change.snapshot);
        this.#at(change.snapshot.cursor);
        break;
      case 'kept':
        this.#base = change.kept.known;
        this.#at(change.kept.cursor);
    }
    return [];
  }

  #at(cursor: string): void {
    this.#cursor = cursor;
    this.#stale = false;
  }

  #batch({ events, signals, cursor }: Batch): readonly Event[] {
    const { known, fresh } = foldAll(this.#base, events, console.error); // one that cannot be understood does not end the stream
    this.#base = signals.reduce((next, signal) => foldSignal(next, signal, Date.now()), known);
    this.#cursor = cursor ?? this.#cursor;
    return fresh;
  }

  #schedule(): void {
    if (this.#cancel) return;
    const frame = requestAnimationFrame(() => this.flush());
    const timer = setTimeout(() => this.flush(), FRAME);
    this.#cancel = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#cancel = null;
    };
  }
}

/** One after the other: the more at once, the fewer copies. */
const joined = (one: Batch, other: Batch): Change => ({
  type: 'batch',
  batch: { events: [...one.events, ...other.events], signals: other.signals, cursor: other.cursor ?? one.cursor },
});
