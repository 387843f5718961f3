// Drafts on their way. Each is shown until the server has it: what could not be told is told again when the connection stands.

import type { OwnAct } from '@/core/model';
import { ownShown } from '@/core/shown';
import { type Api, Problem } from '@/link/api';

import type { Deed, Pending } from './pending';

type Draft = Extract<OwnAct, { type: 'draft' }>;

interface Going {
  readonly act: Draft;
  readonly deed: Deed;
}

export class Drafts {
  /** The newest of each place that the server has not got. */
  readonly #untold = new Map<string, Going>();
  /** Places of which one is under way: the next waits for it. */
  readonly #busy = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly pending: Pending,
  ) {}

  clear(): void {
    this.#untold.clear();
  }

  keep(act: Draft): void {
    const place = `${act.conversation} ${act.thread ?? ''}`;
    const before = this.#untold.get(place);
    const now = Date.now();
    this.#untold.set(place, { act, deed: this.pending.begin((known) => ownShown(known, act, now)) });
    if (before) this.pending.end(before.deed);
    void this.#tell(place);
  }

  tell(): void {
    for (const place of this.#untold.keys()) void this.#tell(place);
  }

  async #tell(place: string): Promise<void> {
    const going = this.#untold.get(place);
    if (!going || this.#busy.has(place)) return;
    this.#busy.add(place);
    try {
      ({ position: going.deed.position } = await this.api.post<{ position: number }>('v1/me/acts', { act: going.act }));
      if (this.#untold.get(place) === going) this.#untold.delete(place);
    } catch (error) {
      // One that is refused stays too: it is somebody's words.
      if (error instanceof Problem && error.passing) setTimeout(() => void this.#tell(place), (error.retryAfter ?? 2) * 1000);
    }
    this.#busy.delete(place);
    if (this.#untold.get(place) !== going) void this.#tell(place);
  }
}
