// The connection that never gives up: one transport at a time, from one cursor. It obeys verdicts, backs off, and takes a
// lesser transport when a better one does not get through though the server answers.

import type { LinkView, Transport } from '@/app/hongyan';
import type { Snapshot, Time } from '@/core/model';

import { type Api, LOADING, Problem, Unreachable } from './api';
import { type Batch, type Context, type Socket, sleep, TRANSPORTS, type Verdict, ways } from './transports';

export interface LinkListener {
  /** Everything anew: there was no cursor, or none that can be continued. */
  snapshot(snapshot: Snapshot): void;
  take(batch: Batch): void;
  /** The token has ended. */
  login(): void;
  /** A connection stands, the first or another one. */
  opened(): void;
  changed(view: LinkView): void;
}

const LOAD_EVERY = 2_000; // a server that says no to every cursor is not asked faster
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const STEADY = 3_000; // what stood this long makes the next failure a first one
const LASTING = 60_000; // what stood this long gets through well
const SLOW = 5_000; // what fails later than this was let hang
const STRIKES = 4; // a transport that fails so often, though the server answers, is left
const BETTER_FIRST = 60_000; // until a better transport is tried again
const BETTER_LAST = 30 * 60_000;

/** The server's verdicts, and three of our own: `failed`, `refused` (this way is not allowed), `reload`. */
interface Outcome {
  readonly do: Verdict['do'] | 'failed' | 'refused' | 'reload';
  readonly after?: number;
}

export function judge(error: unknown): Outcome {
  if (!(error instanceof Problem)) {
    if (!(error instanceof Unreachable)) console.error(error);
    return { do: 'failed' };
  }
  if (error.ended) return { do: 'login' };
  if (error.code === 'invalid-cursor') return { do: 'reload' };
  if (error.retryAfter !== null || error.status === 429 || error.status === 503) return { do: 'later', after: error.retryAfter ?? 2 };
  return { do: error.passing ? 'failed' : 'refused' };
}

export class Link {
  #view: LinkView = { phase: 'idle', transport: 'ws', forced: null, until: null, shared: false, online: navigator.onLine };
  #started = false;
  /** Null: there must be a snapshot first. */
  #cursor: string | null = null;
  #loadedAt = -Infinity;
  #socket: Socket | null = null;
  /** Of the run that goes on now; the next run ends it. */
  #run = new AbortController();
  #wake: (() => void) | null = null;
  #listening = new AbortController();

  constructor(
    private readonly api: Api,
    /** A snapshot that was asked for already; null, or one of null: none. Taken once. */
    private early: Promise<Snapshot | null> | null,
    private readonly on: LinkListener,
  ) {}

  get view(): LinkView {
    return this.#view;
  }

  /** Over the open WebSocket, when there is one. */
  get socket(): Socket | null {
    return this.#socket;
  }

  start(cursor: string | null): void {
    this.stop();
    this.#started = true;
    this.#cursor = cursor;
    const { signal } = (this.#listening = new AbortController());
    addEventListener('online', () => this.#turned(true), { signal });
    addEventListener('offline', () => this.#turned(false), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#wake?.(), { signal });
    this.#begin();
  }

  stop(): void {
    this.#listening.abort();
    this.#run.abort();
    this.#socket = null;
    this.#started = false;
    this.#show({ phase: 'idle', until: null });
  }

  /** Null: chosen by itself again. What was on its way is given again by the next transport, once. */
  force(forced: Transport | null): void {
    const transport = forced ?? 'ws';
    const same = transport === this.#view.transport && this.#view.phase === 'open';
    this.#show({ forced, transport });
    if (this.#started && !same) this.#begin();
  }

  retryNow(): void {
    if (this.#view.phase === 'stopped') this.#begin();
    else this.#wake?.();
  }

  /** The browser says the network came or went. It may be wrong, so it is no more than a reason to try. */
  #turned(online: boolean): void {
    this.#show({ online });
    this.#begin();
  }

  #show(by: Partial<LinkView>): void {
    this.#view = { ...this.#view, ...by };
    this.on.changed(this.#view);
  }

  #begin(): void {
    this.#run.abort();
    this.#socket = null;
    const run = (this.#run = new AbortController());
    void this.#follow(run.signal);
    void this.#better(run.signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let strikes = 0;
    while (!signal.aborted) {
      this.#show({ phase: 'connecting', until: null });
      const began = performance.now();
      const { outcome, stood } = await this.#once(signal);
      if (signal.aborted) return;
      if (stood > STEADY) failures = 0;
      if (stood > LASTING) strikes = 0;
      let next = outcome;
      if (this.#lesser && this.#cursor !== null && stood < LASTING && (outcome.do === 'failed' || outcome.do === 'refused')) {
        const said = await this.#plain(signal);
        if (signal.aborted) return;
        if (said === null) strikes += stood > 0 ? 1 : performance.now() - began > SLOW ? STRIKES : STRIKES / 2;
        next = said ?? { do: 'failed' };
        if (strikes >= STRIKES) {
          this.#show({ transport: this.#lesser });
          return this.#begin();
        }
      }
      if (next.do === 'login') return this.on.login();
      if (next.do === 'reload') return this.#limited();
      if (next.do === 'stop' || next.do === 'refused') return this.#show({ phase: 'stopped' });
      failures += 1;
      if (next.do === 'resume' && failures === 1) continue;
      const backOff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
      const told = (next.after ?? 0) * 1000 * (1 + Math.random() / 5); // never before the time that was named
      await this.#pause(Math.max(told, backOff), signal);
    }
  }

  /** One connection, until it ends. `stood` is for how long, 0 when it never did. */
  async #once(signal: AbortSignal): Promise<{ outcome: Outcome; stood: number }> {
    let openedAt: number | null = null;
    const context = this.#context(signal, () => {
      if (openedAt !== null) return;
      openedAt = performance.now();
      this.#show({ phase: 'open' });
      this.on.opened();
    });
    const outcome: Outcome = await this.#load(signal).then(() => ways[this.#view.transport](context)).catch(judge);
    if (!signal.aborted) this.#socket = null;
    return { outcome, stood: openedAt === null ? 0 : Math.max(1, performance.now() - openedAt) };
  }

  #context(signal: AbortSignal, opened: () => void): Context {
    const mine = <A extends unknown[]>(act: (...given: A) => void) => (...given: A): void => {
      if (!signal.aborted) act(...given);
    };
    return {
      api: this.api,
      signal,
      cursor: () => this.#cursor ?? '',
      opened: mine(opened),
      socket: mine((socket) => void (this.#socket = socket)),
      limited: mine(() => this.#limited()),
      take: mine((batch) => {
        this.on.take(batch);
        this.#cursor = batch.cursor ?? this.#cursor;
      }),
    };
  }

  #limited(): void {
    this.#cursor = null;
    this.#begin();
  }

  /** The snapshot, unless there is a cursor. */
  async #load(signal: AbortSignal): Promise<void> {
    if (this.#cursor !== null) return;
    await sleep(this.#loadedAt + LOAD_EVERY - performance.now(), signal);
    const { early } = this;
    this.early = null;
    const snapshot = (await early) ?? (await this.api.get<Snapshot>('v1/snapshot', { signal, timeout: LOADING }));
    if (signal.aborted) return;
    this.#loadedAt = performance.now();
    this.on.snapshot(snapshot);
    this.#cursor = snapshot.cursor;
  }

  /** What is tried when this one does not get through. */
  get #lesser(): Transport | null {
    const { forced, transport } = this.#view;
    return forced ? null : (TRANSPORTS[TRANSPORTS.indexOf(transport) + 1] ?? null);
  }

  /** Asks the plainest thing there is. Null: the server answers, so it is the transport that does not get through. */
  async #plain(signal: AbortSignal): Promise<Outcome | null> {
    try {
      await this.api.get('v1/me', { signal, timeout: 10_000 });
      return null;
    } catch (error) {
      return judge(error);
    }
  }

  /** While a lesser transport is in use, the better ones are tried beside it, less and less often. */
  async #better(signal: AbortSignal): Promise<void> {
    const { forced, transport } = this.#view;
    const better = forced ? [] : TRANSPORTS.slice(0, TRANSPORTS.indexOf(transport));
    if (!better.length) return;
    for (let wait = BETTER_FIRST; ; wait = Math.min(BETTER_LAST, wait * 2)) {
      await sleep(wait, signal);
      if (signal.aborted) return;
      if (this.#view.phase !== 'open') continue;
      for (const one of better) {
        const opens = await this.#opens(one, signal);
        if (signal.aborted) return;
        if (!opens) continue;
        this.#show({ transport: one });
        return this.#begin();
      }
    }
  }

  async #opens(transport: Transport, signal: AbortSignal): Promise<boolean> {
    const trial = new AbortController();
    let opens = false;
    const context: Context = {
      api: this.api,
      signal: AbortSignal.any([signal, trial.signal]),
      cursor: () => this.#cursor ?? '',
      opened: () => {
        opens = true;
        trial.abort();
      },
      socket: () => {},
      limited: () => {},
      take: () => {},
    };
    await ways[transport](context).catch(() => {});
    return opens;
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    this.#wake = () => awake.abort();
    const until: Time = Date.now() + milliseconds;
    this.#show({ phase: 'waiting', until });
    await sleep(milliseconds, AbortSignal.any([signal, awake.signal]));
    if (!signal.aborted) this.#wake = null;
  }
}
