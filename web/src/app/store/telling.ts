// What the server and others are told of a person: what was read, that they type, whether they are there.

import type { Id, Seq } from '@/core/model';
import { type Api, conversationPath, Problem } from '@/link/api';
import type { Feed } from '@/link/feed';
import type { Frame } from '@/link/transports';

import type { Pending } from './pending';
import type { State } from './state';

const READ_EVERY = 300;
const TYPING_EVERY = 3_000;
const AWAY_AFTER = 5 * 60_000;

export class Telling {
  /** Marks that the server has not confirmed. */
  readonly #untold = new Map<Id, Seq>();
  #reading: ReturnType<typeof setTimeout> | undefined;
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
    this.#untold.clear();
    this.#typedAt.clear();
    clearTimeout(this.#reading);
    clearTimeout(this.#leaving);
    this.#reading = this.#leaving = undefined;
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
    this.#untold.set(id, mark);
    this.pending.mark(id, mark);
    this.#reading ??= setTimeout(() => this.tellMarks(), READ_EVERY);
  }

  /** What was read is to count as unread again. */
  unread(id: Id): void {
    this.#untold.delete(id);
    this.pending.unmark(id);
  }

  /** Also when the connection stands again: what was not confirmed is told again. */
  tellMarks(): void {
    clearTimeout(this.#reading);
    this.#reading = undefined;
    for (const [conversation, seq] of this.#untold) void this.#tellMark(conversation, seq);
  }

  async #tellMark(id: Id, seq: Seq): Promise<void> {
    const isNewest = (): boolean => this.#untold.get(id) === seq;
    const socket = this.feed()?.socket;
    try {
      if (socket) await socket.ask({ op: 'read', conversation: id, seq });
      else await this.api.post(conversationPath(id, '/read'), { seq });
    } catch (error) {
      if (!(error instanceof Problem)) return; // told again when the connection stands
      if (!error.passing && isNewest()) return this.unread(id);
      this.#reading ??= setTimeout(() => this.tellMarks(), (error.retryAfter ?? 2) * 1000);
      return;
    }
    if (isNewest()) this.#untold.delete(id);
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
