// The four ways events arrive. Each runs until it ends: it returns the server's verdict, or throws when the connection failed.

import type { Transport } from '@/app/hongyan';
import type { Event, Signal } from '@/core/model';

import { type Api, Problem, Unreachable, unreachable } from './api';

/** Best first. */
export const TRANSPORTS: readonly Transport[] = ['ws', 'sse', 'long', 'short'];

/** What came: events in the order of the log, and the cursor after them. */
export interface Batch {
  readonly events: readonly Event[];
  readonly signals: readonly Signal[];
  /** Null: signals only, which move nothing. */
  readonly cursor: string | null;
}

/** A map as the server sends it. */
interface Sent {
  readonly events?: readonly Event[];
  readonly signals?: readonly Signal[];
  readonly cursor?: string;
  readonly limited?: boolean;
  readonly more?: boolean;
}

/** What to do next, in the server's words. */
export interface Verdict {
  readonly do: 'resume' | 'later' | 'login' | 'stop';
  readonly after?: number;
}

export type Frame = Readonly<Record<string, unknown>> & { readonly op: string };

/** The way back over an open WebSocket. Both throw Unreachable when it is closing; an answer that says no is a Problem. */
export interface Socket {
  say(frame: Frame): void;
  ask<T>(frame: Frame): Promise<T>;
}

export interface Context {
  readonly api: Api;
  /** Aborted when the connection is not wanted any more; what ends then is not looked at. */
  readonly signal: AbortSignal;
  cursor(): string;
  /** The connection stands: something came over it. May be said often. */
  opened(): void;
  take(batch: Batch): void;
  /** The cursor cannot be continued: load the snapshot. */
  limited(): void;
  socket(socket: Socket | null): void;
}

const OPENING = 8_000;
const ANSWERING = 15_000;
const SILENCE = 40_000; // the server speaks every 15 s on SSE and every 25 s on a WebSocket
const LONG_WAIT = 25; // seconds
const SHORT_EVERY = 2_000;
const SHORT_HIDDEN = 10_000;
const PAGE = 500;

const CLOSE_CODES: Readonly<Record<number, Verdict['do']>> = { 4001: 'resume', 4002: 'later', 4003: 'login', 4004: 'stop' };
const RESUME: Verdict = { do: 'resume' };

function take(context: Context, { events = [], signals = [], cursor, limited }: Sent): void {
  if (limited) context.limited();
  else context.take({ events, signals, cursor: cursor ?? null });
}

/** Ends a connection over which nothing comes. */
function watchdog(onSilence: () => void): { heard(span?: number): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    heard(span = SILENCE) {
      stop();
      timer = setTimeout(onSilence, span);
    },
  };
}

export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/** Frames that ask, and the answers that carry their `ref` back. */
class Asked {
  #last = 0;
  readonly #waiting = new Map<number, { resolve(frame: unknown): void; reject(error: Error): void }>();

  ask<T>(say: (frame: Frame) => void, frame: Frame, onSilence: () => void): Promise<T> {
    const ref = (this.#last += 1);
    return new Promise<T>((resolve, reject) => {
      const late = setTimeout(onSilence, ANSWERING);
      const settle = <V>(by: (value: V) => void) => (value: V): void => {
        clearTimeout(late);
        this.#waiting.delete(ref);
        by(value);
      };
      this.#waiting.set(ref, { resolve: settle(resolve as (frame: unknown) => void), reject: settle(reject) });
      try {
        say({ ...frame, ref });
      } catch (error) {
        this.#waiting.get(ref)?.reject(unreachable(error));
      }
    });
  }

  /** What nobody waits for is the answer to something that was only said: the connection goes on. */
  answer(frame: Frame): void {
    const waiting = this.#waiting.get(frame.ref as number);
    if (frame.op === 'error') waiting?.reject(new Problem(0, frame));
    else waiting?.resolve(frame);
  }

  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Unreachable('the socket closed'));
  }
}

function ws(context: Context): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const url = context.api.url('v1/events/ws');
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('after', context.cursor());
    const asked = new Asked();
    let verdict: Verdict | null = null;
    let fault: Problem | null = null;
    let ended = false;
    const socket = new WebSocket(url, ['hongyan.json']);

    // A socket whose other side is gone may take a minute to close: nobody waits for that.
    const end = (code = 0): void => {
      if (ended) return;
      ended = true;
      silence.stop();
      socket.close();
      context.signal.removeEventListener('abort', aborted);
      context.socket(null);
      asked.end();
      const by = CLOSE_CODES[code];
      verdict ??= by ? { do: by } : null;
      if (verdict) resolve(verdict);
      else reject(fault ?? new Unreachable(`the socket closed (${code})`));
    };
    const aborted = (): void => {
      verdict = RESUME;
      end();
    };
    const silence = watchdog(end);
    const say = (frame: Frame): void => {
      if (socket.readyState !== WebSocket.OPEN) throw new Unreachable('the socket is closed');
      socket.send(JSON.stringify(frame));
    };
    const ask = <T>(frame: Frame): Promise<T> => asked.ask<T>(say, frame, end);

    silence.heard(OPENING);
    context.signal.addEventListener('abort', aborted);
    if (context.signal.aborted) return aborted();
    socket.onopen = () => {
      const stands = (): void => {
        context.socket({ say, ask });
        context.opened();
      };
      ask({ op: 'auth', token: context.api.token }).then(stands, (error: unknown) => {
        if (error instanceof Problem) fault = error;
        end();
      });
    };
    socket.onmessage = ({ data }) => {
      if (ended) return;
      silence.heard();
      const frame = JSON.parse(data as string) as Frame;
      if (frame.op === 'events') take(context, frame as Sent);
      else if (frame.op === 'signal') take(context, { signals: [frame as unknown as Signal] });
      else if (frame.op === 'close') verdict = frame as unknown as Verdict;
      else asked.answer(frame);
    };
    socket.onclose = ({ code }) => end(code);
  });
}

export interface StreamMessage {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** The messages of a text/event-stream, cut anywhere. */
export function eventStream(onMessage: (message: StreamMessage) => void): (text: string) => void {
  let buffer = '';
  let event = 'message';
  let id: string | null = null;
  let data: string[] = [];
  const line = (row: string): void => {
    if (row === '') {
      if (data.length) onMessage({ event, id, data: data.join('\n') });
      event = 'message';
      data = [];
      return;
    }
    const colon = row.indexOf(':');
    const field = colon < 0 ? row : row.slice(0, colon);
    const value = colon < 0 ? '' : row.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  };
  return (text) => {
    const rows = (buffer + text).split(/\r\n|\n/);
    buffer = rows.pop() ?? '';
    rows.forEach(line);
  };
}

/** Through fetch, because EventSource cannot carry the Authorization header. */
async function sse(context: Context): Promise<Verdict> {
  const quiet = new AbortController();
  const silence = watchdog(() => quiet.abort());
  let verdict: Verdict | null = null;
  silence.heard(OPENING);
  try {
    const response = await context.api.fetch(`v1/events/sse?after=${encodeURIComponent(context.cursor())}`, {
      headers: { Accept: 'text/event-stream' },
      signal: AbortSignal.any([context.signal, quiet.signal]),
    });
    const feed = eventStream(({ event, id, data }) => {
      if (context.signal.aborted) return;
      context.opened(); // not before: a proxy that keeps streams back has answered, too
      const map = JSON.parse(data) as Sent;
      if (event === 'close') verdict = map as unknown as Verdict;
      else take(context, id === null ? map : { cursor: id, ...map });
    });
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done || context.signal.aborted) break;
      silence.heard();
      feed(decoder.decode(part.value, { stream: true }));
      if (verdict) break;
    }
  } catch (error) {
    if (!context.signal.aborted) throw error instanceof Problem ? error : unreachable(error);
  } finally {
    silence.stop();
    quiet.abort();
  }
  if (context.signal.aborted) return RESUME;
  if (verdict) return verdict;
  throw new Unreachable('the stream ended');
}

async function poll(context: Context, wait: number): Promise<Sent> {
  const path = `v1/events?after=${encodeURIComponent(context.cursor())}&limit=${PAGE}${wait ? `&wait=${wait}` : ''}`;
  const map = await context.api.get<Sent>(path, { signal: context.signal, timeout: (wait + 15) * 1000 });
  if (context.signal.aborted) return map;
  context.opened();
  take(context, map);
  return map;
}

async function polls(context: Context, next: (map: Sent) => Promise<Sent>): Promise<Verdict> {
  try {
    let map = await poll(context, 0); // does not wait: tells at once whether the connection stands
    while (!context.signal.aborted) map = await next(map);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  return RESUME;
}

const long = (context: Context): Promise<Verdict> => polls(context, () => poll(context, LONG_WAIT));

const short = (context: Context): Promise<Verdict> =>
  polls(context, async (map) => {
    if (!map.more) await sleep(document.hidden ? SHORT_HIDDEN : SHORT_EVERY, context.signal);
    return context.signal.aborted ? map : poll(context, 0);
  });

export const ways: Readonly<Record<Transport, (context: Context) => Promise<Verdict>>> = { ws, sse, long, short };
