// What the server and others are told of a person: what was read, that they type, whether they are there.

import type { Id, Seq } from '@/core/model';
import { type Api, conversationPath, Problem } from '@/link/api';
import type { Feed } from '@/link/feed';
import type { Frame } from '@/link/transports';

import type { Pending } from './pending';
import type { State } from './state';

const READ_AFTER = 300; // who goes on reading is told of once they rest,
const READ_LATEST = 2_000; // or when they have read for so long
const TYPING_EVERY = 3_000;
const AWAY_AFTER = 5 * 60_000;

/** One that the server has not confirmed. It is told of one at a time, and of the newest after that. */
interface Mark {
  seq: Seq;
  /** It is being told of this or an older one. */
  telling: boolean;
}

export class Telling {
  readonly #marks = new Map<Id, Mark>();
  #reading: ReturnType<typeof setTimeout> | undefined;
  /** When the first was read of those that are not told yet. */
  #readFrom: number | null = null;
  /** The server wants to be left alone until then. */
  #rest = 0;
  readonly #typedAt = new Map<Id, number>();
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #away = false;

  constructor(
    private readonly api: Api,
    private readonly state: State,
    private readonly pending: Pending,
    private readonly feed: () => Feed | null,
  ) {}

  clear(): void {
    this.#marks.clear();
    this.#typedAt.clear();
    clearTimeout(this.#reading);
    clearTimeout(this.#leaving);
    this.#reading = this.#leaving = undefined;
    this.#readFrom = null;
    this.#rest = 0;
    this.#away = false;
  }

  /** Only forward, and not beyond what is there. */
  read(id: Id, seq: Seq): void {
    const room = this.state.base.rooms.get(id);
    if (!room) return;
    const mark = Math.min(seq, room.head_seq);
    const isNews = mark > Math.max(room.read_seq, this.pending.marks.get(id) ?? 0);
    const endsUnread = room.own.unread_from !== undefined && mark >= room.own.unread_from && !this.pending.marks.has(id);
    if (!isNews && !endsUnread) return;
    const untold = this.#marks.get(id);
    if (untold) untold.seq = mark;
    else this.#marks.set(id, { seq: mark, telling: false });
    this.pending.mark(id, mark);
    this.#soon();
  }

  /** What was read is to count as unread again. */
  unread(id: Id): void {
    this.#marks.delete(id);
    this.pending.unmark(id);
  }

  /** Who reads goes elsewhere: what waits to be told is told now. */
  leave(): void {
    if (this.#reading !== undefined) this.tellMarks();
  }

  /** Also when the connection stands again: what was not confirmed is told again. */
  tellMarks(): void {
    clearTimeout(this.#reading);
    this.#reading = undefined;
    this.#readFrom = null;
    for (const [id, mark] of this.#marks) if (!mark.telling) void this.#tellMark(id, mark);
  }

  #soon(): void {
    const now = performance.now();
    this.#readFrom ??= now;
    clearTimeout(this.#reading);
    const wait = Math.max(Math.min(READ_AFTER, this.#readFrom + READ_LATEST - now), this.#rest - now, 0);
    this.#reading = setTimeout(() => this.tellMarks(), wait);
  }

  async #tellMark(id: Id, mark: Mark): Promise<void> {
    const { seq } = mark;
    mark.telling = true;
    const failure = await this.#askMark(id, seq);
    mark.telling = false;
    if (this.#marks.get(id) !== mark) return;
    const isNewest = mark.seq === seq;
    if (failure instanceof Problem && failure.passing) {
      this.#rest = performance.now() + (failure.retryAfter ?? 2) * 1000;
      this.#soon();
    } else if (!isNewest) {
      if (this.#reading === undefined) void this.#tellMark(id, mark);
    } else if (!failure) this.#marks.delete(id);
    else if (failure instanceof Problem) this.unread(id); // otherwise it is told again when the connection stands
  }

  /** Gives why it failed. */
  async #askMark(id: Id, seq: Seq): Promise<unknown> {
    const socket = this.feed()?.socket;
    try {
      if (socket) await socket.ask({ op: 'read', conversation: id, seq });
      else await this.api.post(conversationPath(id, '/read'), { seq }, { keepalive: true });
      return null;
    } catch (error) {
      return error;
    }
  }

  typing(id: Id): void {
    const now = performance.now();
    if (now - (this.#typedAt.get(id) ?? -Infinity) < TYPING_EVERY) return;
    this.#typedAt.set(id, now);
    this.#tell({ op: 'typing', conversation: id, typing: true }, () => this.api.post(conversationPath(id, '/typing'), { typing: true }));
  }

  /** What was written is sent: who writes on types anew. */
  sent(id: Id): void {
    this.#typedAt.delete(id);
  }

  /** What a person looks at has changed, or this tab leads from now on. Only that one tells. */
  looked(): void {
    const feed = this.feed();
    if (feed?.leads && !feed.looked()) {
      this.#leaving ??= setTimeout(() => this.#presence('away'), AWAY_AFTER);
      return;
    }
    clearTimeout(this.#leaving);
    this.#leaving = undefined;
    if (this.#away) this.#presence('online');
  }

  /** Another connection, which knows nothing of the one before. */
  again(): void {
    if (this.#away) this.#presence('away');
  }

  /** What a person chose for themselves, as busy, stays. */
  #presence(status: 'away' | 'online'): void {
    const { me, presence } = this.state.base;
    const now = presence.get(me?.id ?? '')?.status;
    if (status === 'away' && now !== undefined && now !== 'online' && !this.#away) return;
    this.#away = status === 'away';
    if (status === 'online' && now !== undefined && now !== 'away') return;
    this.#tell({ op: 'presence', status }, () => this.api.put('v1/presence', { status }));
  }

  /** Its loss is made good by the next. */
  #tell(frame: Frame, ask: () => Promise<void>): void {
    const socket = this.feed()?.socket;
    try {
      if (socket) socket.say(frame);
      else ask().catch(() => {});
    } catch {
      // The socket is just closing.
    }
  }
}
