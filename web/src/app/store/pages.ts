// History, page by page. One request of a kind at a time for each conversation; the run of what was left long ago goes.

import { withoutRun, withPage, withShorterRun, type Where } from '@/core/fold';
import type { Event, Id, Page, Room, Seq } from '@/core/model';
import { type Api, conversationPath, newestPath, PAGE } from '@/link/api';

import type { State } from './state';

const AROUND = 60;
const RUNS = 20;

const pathOf = (id: Id, query: string): string => conversationPath(id, `/events?${query}`);

export class Pages {
  readonly #asked = new Map<string, Promise<void>>();
  /** What was loaded, oldest first. The last is the one that is looked at. */
  #recent: Id[] = [];
  #failed: Id | null = null;
  /** The newest page of a conversation of which nothing is known yet. */
  #foreseen: { readonly id: Id; readonly page: Promise<Page | null> } | null = null;
  /** Another log-in is another one: an answer to who was here before is nobody's. */
  #turn = 0;

  constructor(
    private readonly api: Api,
    private readonly state: State,
    /** Told what a page has brought. */
    private readonly brought: (events: readonly Event[]) => void,
  ) {}

  clear(): void {
    this.#turn += 1;
    this.#asked.clear();
    this.#recent = [];
    this.#failed = null;
    this.#foreseen = null;
  }

  /** What will be wanted as soon as it is known what there is. */
  foresee(id: Id, page: Promise<Page | null>): void {
    this.#foreseen = { id, page };
  }

  load(id: Id): Promise<void> {
    this.#visit(id);
    this.#failed = null;
    return this.#room(id)?.loaded ? Promise.resolve() : this.newest(id);
  }

  newest(id: Id): Promise<void> {
    return this.#once(`${id} newest`, () => this.#page(id, newestPath(id), 'newest'));
  }

  older(id: Id): Promise<void> {
    const room = this.#room(id);
    const first = room?.events[0]?.seq;
    if (!room?.older || first === undefined) return Promise.resolve();
    return this.#once(`${id} older`, () => this.#page(id, pathOf(id, `before=${first}&limit=${PAGE}`), 'older', (now) => now.events[0]?.seq === first));
  }

  newer(id: Id): Promise<void> {
    const room = this.#room(id);
    const last = room?.events.at(-1)?.seq;
    if (!room?.newer || last === undefined) return Promise.resolve();
    return this.#once(`${id} newer`, () => this.#page(id, pathOf(id, `after=${last}&limit=${PAGE}`), 'newer', (now) => now.events.at(-1)?.seq === last));
  }

  around(id: Id, seq: Seq): Promise<void> {
    this.#visit(id);
    return this.#once(`${id} around ${seq}`, () => this.#page(id, pathOf(id, `around=${seq}&limit=${AROUND}`), 'around'));
  }

  /** What is looked at was taken away, by another snapshot or a hole: it is loaded again. Where that fails, not before `anew`. */
  again(anew = false): void {
    if (anew) this.#failed = null;
    const id = this.#recent.at(-1);
    const room = id === undefined ? undefined : this.#room(id);
    if (!room || room.loaded || room.id === this.#failed) return;
    const turn = this.#turn;
    this.newest(room.id).catch(() => turn === this.#turn && (this.#failed = room.id));
  }

  #room(id: Id): Room | undefined {
    return this.state.base.rooms.get(id);
  }

  /** `fits` tells whether the page still belongs to the run that there is now. */
  async #page(id: Id, path: string, where: Where, fits: (room: Room) => boolean = () => true): Promise<void> {
    const turn = this.#turn;
    const page = (where === 'newest' && (await this.#early(id))) || (await this.api.get<Page>(path));
    const room = this.#room(id);
    if (turn !== this.#turn || (room && !fits(room))) return;
    this.brought(page.events);
    this.state.change((known) => withPage(known, id, page, where));
  }

  /** What was foreseen, unless something has come since. */
  async #early(id: Id): Promise<Page | null> {
    const foreseen = this.#foreseen;
    this.#foreseen = null;
    const page = foreseen?.id === id ? await foreseen.page : null;
    return page && page.events.at(-1)?.seq === this.#room(id)?.head_seq ? page : null;
  }

  #visit(id: Id): void {
    const left = this.#recent.at(-1);
    if (left === id) return;
    this.#recent = [...this.#recent.filter((one) => one !== id), id];
    const gone = this.#recent.splice(0, Math.max(0, this.#recent.length - RUNS));
    if (left !== undefined) this.state.change((known) => gone.reduce(withoutRun, withShorterRun(known, left)));
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
