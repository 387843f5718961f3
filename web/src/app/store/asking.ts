// What an event told less of than is needed: conversations and names, asked for by themselves.

import { withConversation, withPeople, withoutConversation } from '@/core/fold';
import type { Conversation, Event, Id, Known, Person } from '@/core/model';
import { type Api, conversationPath, Problem, userPath } from '@/link/api';
import type { Feed } from '@/link/feed';

import type { State } from './state';

const AGAIN = 3_000;
const FOLLOWER = 1_000; // the tab that leads asks for what all need
const OVERTAKEN = 300; // an answer that events had overtaken left it wanted
const AT_ONCE = 3;

export class Asking {
  /** What is asked for now, or waits for its next time. */
  readonly #asked = new Set<string>();
  readonly #strangers: Id[] = [];
  #naming = 0;
  #turn = 0;

  constructor(
    private readonly api: Api,
    private readonly state: State,
    private readonly feed: () => Feed | null,
  ) {}

  clear(): void {
    this.#turn += 1;
    this.#asked.clear();
    this.#strangers.length = 0;
    this.#naming = 0;
  }

  /** After each change. */
  wanted(): void {
    for (const id of this.state.base.wanted) {
      this.#once(`conversation ${id}`, this.feed()?.leads ? 0 : FOLLOWER, () => this.#conversation(id));
    }
  }

  /** Senders without a name, each once. */
  names(events: readonly Event[]): void {
    for (const { sender } of events) {
      const what = `user ${sender}`;
      if (!sender || this.state.base.names.has(sender) || this.#asked.has(what)) continue;
      this.#asked.add(what);
      this.#strangers.push(sender);
    }
    while (this.#naming < AT_ONCE && this.#strangers.length) void this.#name();
  }

  async #conversation(id: Id): Promise<void> {
    if (!this.state.base.wanted.has(id)) return;
    const turn = this.#turn;
    try {
      const conversation = await this.api.get<Conversation>(conversationPath(id));
      if (turn !== this.#turn) return;
      const feed = this.feed();
      if (feed?.leads) feed.tell({ type: 'conversation', conversation });
      else this.state.change((known) => withConversation(known, conversation));
      this.state.flush();
    } catch (error) {
      if (!(error instanceof Problem) || error.passing || turn !== this.#turn) throw error;
      this.state.change((known) => withoutConversation(known, id));
    }
  }

  async #name(): Promise<void> {
    const turn = this.#turn;
    const id = this.#strangers.shift();
    if (id === undefined) return;
    this.#naming += 1;
    let again = false;
    try {
      const person = await this.api.get<Person>(userPath(id));
      if (turn === this.#turn) this.state.change((known: Known) => withPeople(known, [person]));
    } catch (error) {
      again = !(error instanceof Problem) || error.passing;
    }
    if (turn !== this.#turn) return;
    this.#naming -= 1;
    if (again) setTimeout(() => turn === this.#turn && this.#asked.delete(`user ${id}`), AGAIN);
    this.names([]);
  }

  #once(what: string, wait: number, ask: () => Promise<void>): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    const turn = this.#turn;
    const next = (rest: number): void => {
      setTimeout(() => {
        if (turn !== this.#turn) return;
        this.#asked.delete(what);
        this.wanted();
      }, rest);
    };
    setTimeout(() => turn === this.#turn && ask().then(() => next(OVERTAKEN), () => next(AGAIN)), wait);
  }
}
