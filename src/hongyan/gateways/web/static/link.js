// The connection that never gives up: runs one transport at a time from one cursor, obeys verdicts, backs off, switches.

import { KINDS, ways } from './transports.js';
import { Problem } from './api.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const STEADY = 3_000; // a connection that stood this long makes the next failure a first one
const DELAYS_KEPT = 40;

const fresh = () => ({ sent: 0, received: 0, requests: 0, events: 0, delays: [] });

export class Link {
  kind = 'ws';
  cursor = null;
  phase = 'idle'; // idle, connecting, open, waiting, stopped
  until = 0; // when waiting: the time of the next try, by performance.now()
  reason = null; // when waiting: 'failed' or 'later'
  stats = Object.fromEntries(KINDS.map((kind) => [kind, fresh()]));
  #turn = 0;
  #abort = null;
  #wake = null;
  #socket = null;

  /** `on` has take(map), reload(), login(), changed(), opened(). */
  constructor(api, on) {
    this.api = api;
    this.on = on;
    addEventListener('online', () => this.retryNow());
    addEventListener('offline', () => this.phase === 'open' && this.#begin());
  }

  start(cursor, kind = this.kind) {
    this.cursor = cursor;
    this.kind = kind;
    this.#begin();
  }

  /** Another transport, from where this one is. What was on its way is given again by the new one, once. */
  switchTo(kind) {
    if (kind === this.kind && this.phase === 'open') return;
    this.kind = kind;
    if (this.cursor != null) this.#begin();
    else this.on.changed();
  }

  stop() {
    this.#turn += 1;
    this.#abort?.abort();
    this.#wake?.();
    this.#socket = null;
    this.cursor = null;
    this.#show('idle');
  }

  retryNow() {
    if (this.phase === 'waiting') this.#wake?.();
    else if (this.phase === 'stopped') this.#begin();
  }

  get current() {
    return this.stats[this.kind];
  }

  meterOf(kind = this.kind) {
    const stats = this.stats[kind];
    const count = (name, by) => {
      stats[name] += by;
      this.on.changed();
    };
    return {
      sent: (bytes) => count('sent', bytes),
      received: (bytes) => count('received', bytes),
      asked: () => count('requests', 1),
    };
  }

  measured(milliseconds) {
    const { delays } = this.current;
    delays.push(milliseconds);
    if (delays.length > DELAYS_KEPT) delays.shift();
    this.on.changed();
  }

  /** Over the open WebSocket when there is one; null means: use a request. */
  socket() {
    return this.#socket;
  }

  #show(phase, { until = 0, reason = null } = {}) {
    Object.assign(this, { phase, until, reason });
    this.on.changed();
  }

  #begin() {
    this.#turn += 1;
    this.#abort?.abort();
    this.#wake?.();
    this.#socket = null;
    this.#run(this.#turn);
  }

  async #run(turn) {
    let failures = 0;
    while (turn === this.#turn) {
      this.#show('connecting');
      const { verdict, stood } = await this.#once(turn);
      if (turn !== this.#turn) return;
      failures = stood > STEADY ? 0 : failures;
      if (verdict.do === 'login') return this.on.login();
      if (verdict.do === 'reload') return this.on.reload();
      if (verdict.do === 'stop') return this.#show('stopped');
      if (verdict.do === 'resume' && failures === 0) {
        failures += 1;
        continue;
      }
      const backOff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + Math.random() / 2);
      const told = (verdict.after ?? 0) * 1000 * (1 + Math.random() / 5); // never before the time that was named
      failures += 1;
      await this.#pause(Math.max(told, backOff), verdict.do === 'later' ? 'later' : 'failed');
    }
  }

  async #once(turn) {
    const abort = (this.#abort = new AbortController());
    const mine = () => turn === this.#turn && !abort.signal.aborted;
    let openedAt = null;
    const context = {
      api: this.api,
      token: this.api.token,
      headers: (extra) => this.api.headers(extra),
      signal: abort.signal,
      meter: this.meterOf(),
      cursor: () => this.cursor,
      socket: (socket) => mine() && (this.#socket = socket),
      opened: () => {
        if (!mine() || openedAt !== null) return;
        openedAt = performance.now();
        this.#show('open');
        this.on.opened();
      },
      take: (map) => mine() && this.#take(map),
    };
    let verdict;
    try {
      verdict = await ways[this.kind](context);
    } catch (error) {
      verdict = judge(error);
    }
    if (turn === this.#turn) this.#socket = null;
    return { verdict, stood: openedAt === null ? 0 : performance.now() - openedAt };
  }

  #take(map) {
    if (map.limited) {
      this.cursor = map.cursor;
      return this.on.reload();
    }
    const events = map.events ?? [];
    this.current.events += events.length;
    this.on.take({ events, signals: map.signals ?? [] });
    if (map.cursor) this.cursor = map.cursor;
    this.on.changed();
  }

  #pause(milliseconds, reason) {
    this.#show('waiting', { until: performance.now() + milliseconds, reason });
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }
}

/** What to do after a failure: the same words as the server's verdicts, and `reload` for a cursor that is none. */
function judge(error) {
  if (!(error instanceof Problem)) return { do: 'failed' };
  if (error.code === 'not-authenticated' || error.status === 401) return { do: 'login' };
  if (error.code === 'invalid-cursor') return { do: 'reload' };
  if (error.retryAfter != null || error.status === 429 || error.status === 503) return { do: 'later', after: error.retryAfter ?? 2 };
  return error.status >= 400 && error.status < 500 ? { do: 'stop' } : { do: 'failed' };
}
