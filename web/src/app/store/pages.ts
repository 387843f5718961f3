// History, page by page. One request of a kind at a time for each conversation; the run of what was left long ago goes.

import { withoutRun, withPage } from '@/core/fold';
import type { Event, Id, Known, Page, Room, Seq } from '@/core/model';
import { type Api, conversationPath } from '@/link/api';

import type { State } from './state';

const PAGE = 50;
const AROUND = 60;
const RUNS = 20;

export class Pages {
  readonly #asked = new Map<string, Promise<void>>();
  /** What was loaded, oldest first. The last is the one that is looked at. */
  #recent: Id[] = [];
  #failed: Id | null = null;

  constructor(
    private readonly api: Api,
    private readonly state: State,
    /** Told what a page has brought. */
    private readonly brought: (events: readonly Event[]) => void,
  ) {}

  clear(): void {
    this.#asked.clear();
    this.#recent = [];
    this.#failed = null;
  }

  load(id: Id): Promise<void> {
    this.#visit(id);
    this.#failed = null;
    return this.#room(id)?.loaded ? Promise.resolve() : this.newest(id);
  }

  newest(id: Id): Promise<void> {
    return this.#once(`${id} newest`, async () => this.#put(id, await this.#get(id, `limit=${PAGE}`), 'newest'));
  }

  older(id: Id): Promise<void> {
    const room = this.#room(id);
    const first = room?.events[0]?.seq;
    if (!room?.older || first === undefined) return Promise.resolve();
    return this.#once(`${id} older`, async () => {
      const page = await this.#get(id, `before=${first}&limit=${PAGE}`);
      if (this.#room(id)?.events[0]?.seq === first) this.#put(id, page, 'older'); // otherwise it belongs to a run that is gone
    });
  }

  newer(id: Id): Promise<void> {
    const room = this.#room(id);
    const last = room?.events.at(-1)?.seq;
    if (!room?.newer || last === undefined) return Promise.resolve();
    return this.#once(`${id} newer`, async () => {
      const page = await this.#get(id, `after=${last}&limit=${PAGE}`);
      if (this.#room(id)?.events.at(-1)?.seq === last) this.#put(id, page, 'newer');
    });
  }

  around(id: Id, seq: Seq): Promise<void> {
    this.#visit(id);
    return this.#once(`${id} around ${seq}`, async () => this.#put(id, await this.#get(id, `around=${seq}&limit=${AROUND}`), 'around'));
  }

  /** What is looked at was taken away, by another snapshot or a hole: it is loaded again. Where that fails, not before `anew`. */
  again(anew = false): void {
    if (anew) this.#failed = null;
    const id = this.#recent.at(-1);
    const room = id === undefined ? undefined : this.#room(id);
    if (room && !room.loaded && room.id !== this.#failed) this.newest(room.id).catch(() => (this.#failed = room.id));
  }

  #room(id: Id): Room | undefined {
    return this.state.base.rooms.get(id);
  }

  async #get(id: Id, query: string): Promise<Page> {
    const page = await this.api.get<Page>(conversationPath(id, `/events?${query}`));
    this.brought(page.events);
    return page;
  }

  #put(id: Id, page: Page, where: Parameters<typeof withPage>[3]): void {
    this.state.change((known) => withPage(known, id, page, where));
  }

  #visit(id: Id): void {
    if (this.#recent.at(-1) === id) return;
    this.#recent = [...this.#recent.filter((one) => one !== id), id];
    const gone = this.#recent.splice(0, Math.max(0, this.#recent.length - RUNS));
    if (gone.length) this.state.change((known) => gone.reduce((next: Known, one) => withoutRun(next, one), known));
  }

  #once(what: string, ask: () => Promise<void>): Promise<void> {
    const going = this.#asked.get(what);
    if (going) return going;
    const promise = ask().finally(() => {
      if (this.#asked.get(what) === promise) this.#asked.delete(what);
    });
    this.#asked.set(what, promise);
    return promise;
  }
}
