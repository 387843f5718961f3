// The four ways events arrive. Each takes a context and runs until it ends: it returns the server's verdict
// (`resume`, `later`, `login`, `stop`), or throws when the connection failed. What they share is small:
//   context.cursor()   where to go on        context.take(map)  a map of events, cursor, signals
//   context.opened()   the connection stands  context.signal     aborted when another transport takes over
//   context.meter      counts bytes          context.socket(s)  a way to send over the connection, or null

import { Problem, Unreachable, byteLength, problemOf, root } from './api.js';

export const KINDS = ['ws', 'sse', 'long', 'short'];

const CLOSE_CODES = { 4001: 'resume', 4002: 'later', 4003: 'login', 4004: 'stop' };
const AUTH_TIMEOUT = 10_000;
const SILENCE = 40_000; // the server speaks every 15 s on SSE and every 25 s on a WebSocket
const LONG_WAIT = 25; // seconds
const SHORT_EVERY = 2_000;
const SHORT_HIDDEN = 10_000;
const PAGE = 200;

/** Calls `onSilence` when `heard` was not called for too long. */
function watchdog(onSilence) {
  let timer;
  const heard = (span = SILENCE) => {
    clearTimeout(timer);
    timer = setTimeout(onSilence, span);
  };
  return { heard, stop: () => clearTimeout(timer) };
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function ws(context) {
  return new Promise((resolve, reject) => {
    const url = new URL('v1/events/ws', root);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('after', context.cursor());
    const socket = new WebSocket(url, ['hongyan.json']);
    const asked = new Map(); // ref -> {resolve, reject}
    let lastRef = 0;
    let verdict = null;
    let fault = null;
    const silence = watchdog(() => socket.close());

    const say = (frame) => {
      if (socket.readyState !== WebSocket.OPEN) throw new Unreachable('the socket is closed');
      const text = JSON.stringify(frame);
      context.meter.sent(byteLength(text));
      socket.send(text);
    };
    const ask = (frame) => new Promise((done, failed) => {
      const ref = ++lastRef;
      asked.set(ref, { resolve: done, reject: failed });
      try {
        say({ ...frame, ref });
      } catch (error) {
        asked.delete(ref);
        failed(error);
      }
    });
    const answer = (frame) => {
      const waiting = asked.get(frame.ref);
      asked.delete(frame.ref);
      if (frame.op === 'error' && waiting) waiting.reject(new Problem(frame, 0, null));
      else if (frame.op === 'error') fault = new Problem(frame, 0, null);
      else waiting?.resolve(frame);
    };
    const end = (outcome) => {
      silence.stop();
      context.socket(null);
      for (const waiting of asked.values()) waiting.reject(new Unreachable('the socket closed'));
      asked.clear();
      outcome();
    };

    silence.heard(AUTH_TIMEOUT);
    socket.onopen = () => {
      context.meter.asked();
      ask({ op: 'auth', token: context.token }).then(() => {
        context.socket({ say, ask });
        context.opened();
      }, (error) => {
        fault = error;
        socket.close();
      });
    };
    socket.onmessage = ({ data }) => {
      if (context.signal.aborted) return;
      silence.heard();
      context.meter.received(byteLength(data));
      const frame = JSON.parse(data);
      if (frame.op === 'events') context.take(frame);
      else if (frame.op === 'signal') context.take({ events: [], signals: [frame] });
      else if (frame.op === 'ack' || frame.op === 'error' || frame.op === 'pong') answer(frame);
      else if (frame.op === 'close') verdict = frame;
    };
    socket.onclose = ({ code }) => end(() => {
      verdict ??= CLOSE_CODES[code] ? { do: CLOSE_CODES[code] } : null;
      if (verdict) resolve(verdict);
      else reject(fault ?? new Unreachable(`the socket closed (${code})`));
    });
    context.signal.addEventListener('abort', () => {
      socket.close(1000);
      end(() => resolve({ do: 'resume' }));
    }, { once: true });
  });
}

/** The messages of a text/event-stream: {event, id, data}. */
export function eventStream(onMessage) {
  let buffer = '';
  let message = { event: 'message', id: null, data: [] };
  return (text) => {
    buffer += text;
    const rows = buffer.split(/\r\n|\n/);
    buffer = rows.pop();
    for (const row of rows) {
      if (row === '') {
        if (message.data.length) onMessage({ ...message, data: message.data.join('\n') });
        message = { event: 'message', id: message.id, data: [] };
        continue;
      }
      const [, field, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(row);
      if (field === 'data') message.data.push(value ?? '');
      else if (field === 'event' || field === 'id') message[field] = value ?? '';
    }
  };
}

/** Through fetch, because EventSource cannot carry the Authorization header. */
async function sse(context) {
  const path = `v1/events/sse?after=${encodeURIComponent(context.cursor())}`;
  const quiet = new AbortController();
  const silence = watchdog(() => quiet.abort());
  let verdict = null;
  context.meter.asked();
  context.meter.sent(byteLength(path));
  silence.heard();
  try {
    const response = await fetch(new URL(path, root), {
      headers: context.headers({ Accept: 'text/event-stream' }),
      cache: 'no-store', credentials: 'omit', signal: AbortSignal.any([context.signal, quiet.signal]),
    });
    if (!response.ok) throw await problemOf(response);
    context.opened();
    const feed = eventStream(({ event, id, data }) => {
      const map = JSON.parse(data || '{}');
      if (event === 'close') verdict = map;
      else context.take({ events: [], ...map, cursor: map.cursor ?? id });
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || context.signal.aborted) break;
      silence.heard();
      context.meter.received(value.length);
      feed(decoder.decode(value, { stream: true }));
      if (verdict) break;
    }
  } catch (error) {
    if (context.signal.aborted) return { do: 'resume' };
    throw error instanceof Problem ? error : new Unreachable(error.message);
  } finally {
    silence.stop();
    quiet.abort();
  }
  if (verdict) return verdict;
  throw new Unreachable('the stream ended');
}

async function poll(context, query, timeout) {
  const path = `v1/events?after=${encodeURIComponent(context.cursor())}&limit=${PAGE}${query}`;
  const map = await context.api.get(path, { meter: context.meter, signal: context.signal, timeout });
  if (context.signal.aborted) return map;
  context.opened();
  context.take(map);
  return map;
}

async function long(context) {
  await poll(context, '', 20_000); // does not wait: tells at once whether the connection stands
  while (!context.signal.aborted) await poll(context, `&wait=${LONG_WAIT}`, (LONG_WAIT + 15) * 1000);
  return { do: 'resume' };
}

async function short(context) {
  while (!context.signal.aborted) {
    const map = await poll(context, '', 20_000);
    if (!map.more) await sleep(document.hidden ? SHORT_HIDDEN : SHORT_EVERY, context.signal);
  }
  return { do: 'resume' };
}

export const ways = { ws, sse, long, short };
