// What one did that the events do not tell yet, shown over what is known. What is refused is left out again.

import type { Id, Known, Seq } from '@/core/model';
import { readShown } from '@/core/shown';

export interface Deed {
  readonly show: (known: Known) => Known;
  /** Where in the log it has become so; infinite until it is answered. */
  position: number;
}

export class Pending {
  readonly #deeds = new Set<Deed>();
  /** One's own read marks, by conversation. */
  readonly #marks = new Map<Id, Seq>();

  constructor(private readonly changed: () => void) {}

  over(known: Known): Known {
    for (const deed of this.#deeds) if (deed.position <= known.position) this.#deeds.delete(deed);
    for (const [id, seq] of this.#marks) if (isRead(known, id, seq)) this.#marks.delete(id);
    let shown = known;
    for (const { show } of this.#deeds) shown = show(shown);
    for (const [id, seq] of this.#marks) shown = readShown(shown, id, seq);
    return shown;
  }

  /** Shows it at once, for as long as it is needed. */
  async during(show: Deed['show'], ask: () => Promise<{ position: number }>): Promise<void> {
    const deed = this.begin(show);
    try {
      this.become(deed, (await ask()).position);
    } catch (error) {
      this.end(deed);
      throw error;
    }
  }

  begin(show: Deed['show']): Deed {
    const deed: Deed = { show, position: Infinity };
    this.#deeds.add(deed);
    this.changed();
    return deed;
  }

  /** It is so from there on. */
  become(deed: Deed, position: number): void {
    deed.position = position;
    this.changed();
  }

  end(deed: Deed): void {
    this.#deeds.delete(deed);
    this.changed();
  }

  mark(id: Id, seq: Seq): void {
    this.#marks.set(id, seq);
    this.changed();
  }

  /** It is not to be read after all. */
  unmark(id: Id): void {
    if (this.#marks.delete(id)) this.changed();
  }

  get marks(): ReadonlyMap<Id, Seq> {
    return this.#marks;
  }

  clear(): void {
    this.#deeds.clear();
    this.#marks.clear();
  }
}

/** A mark that does not move is still told while something counts as unread. */
const isRead = (known: Known, id: Id, seq: Seq): boolean => {
  const room = known.rooms.get(id);
  return !room || (room.read_seq >= seq && room.own.unread_from === undefined);
};
