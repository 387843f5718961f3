// What one keeps at hand: asked for once, when it is first to be shown; then the events keep it.

import { bookmarksOf } from '@/core/bookmarks';
import type { Id, Known, Seq } from '@/core/model';
import type { Api } from '@/link/api';
import { whole } from '@/link/whole';

import type { State } from './state';

interface Page {
  readonly bookmarks: readonly { readonly conversation: Id; readonly seq: Seq; readonly place: number; readonly note?: string }[];
  readonly more: boolean;
}

/** Moves with each event that would change the answer. */
const moved = ({ heard }: Known): string => `${heard.get('bookmark')} ${heard.get('unbookmark')}`;

export class Bookmarks {
  #wanted = false;
  #busy = false;
  #failed = false;
  #turn = 0;

  constructor(
    private readonly api: Api,
    private readonly state: State,
  ) {}

  clear(): void {
    this.#turn += 1;
    this.#wanted = this.#busy = this.#failed = false;
  }

  want(): void {
    this.#wanted = true;
    this.again();
  }

  /** A snapshot begins without them. Where asking failed, not before `anew`. */
  again(anew = false): void {
    if (anew) this.#failed = false;
    const { me, bookmarks } = this.state.base;
    if (this.#wanted && me && !bookmarks && !this.#busy && !this.#failed) void this.#ask();
  }

  async #ask(): Promise<void> {
    const turn = this.#turn;
    const since = moved(this.state.base);
    this.#busy = true;
    const found = await this.#all().catch(() => null);
    if (turn !== this.#turn) return;
    this.#failed = found === null;
    // What waits is folded first, and may be about them.
    if (found) this.state.change((known) => (since === moved(known) ? { ...known, bookmarks: bookmarksOf(found) } : known));
    this.#busy = false;
    this.again();
  }

  #all(): Promise<Page['bookmarks']> {
    return whole(async (last) => {
      const page = await this.api.get<Page>(`v1/me/bookmarks?limit=100${last ? `&before=${last.place}` : ''}`);
      return { items: page.bookmarks, more: page.more };
    });
  }
}
