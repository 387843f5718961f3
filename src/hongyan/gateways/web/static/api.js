// Requests to the server: JSON in, JSON out, and two kinds of failure.

/** Where the server is: this file is served as /demo/api.js. */
export const root = new URL('../', import.meta.url);

/** The server answered no. `code` is the stable end of the problem's type, `retryAfter` seconds where waiting helps. */
export class Problem extends Error {
  constructor(body, status, retryAfter) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = String(body.type ?? '').split(':').at(-1);
    this.retryAfter = body.retry_after ?? retryAfter ?? null;
  }
}

/** No answer came: no network, no server, or a connection that broke. */
export class Unreachable extends Error {}

const encoder = new TextEncoder();
export const byteLength = (text) => encoder.encode(text).length;

export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get('Retry-After'));
  return new Problem(body ?? {}, response.status, Number.isFinite(wait) && wait > 0 ? wait : null);
}

/** Counts payload bytes; `nobody` is for requests that belong to no transport. */
const nobody = { sent() {}, received() {}, asked() {} };

export class Api {
  token = null;

  headers(extra = {}) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...extra } : extra;
  }

  async call(method, path, body, { meter = nobody, signal, timeout = 20_000 } = {}) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    meter.asked();
    meter.sent(byteLength(path) + (text ? byteLength(text) : 0));
    const limits = [AbortSignal.timeout(timeout), ...(signal ? [signal] : [])];
    let response;
    let answer;
    try {
      response = await fetch(new URL(path, root), {
        method, body: text, headers: this.headers(text === undefined ? {} : { 'Content-Type': 'application/json' }),
        cache: 'no-store', credentials: 'omit', signal: AbortSignal.any(limits),
      });
      if (response.ok) answer = await response.text();
    } catch (error) {
      throw new Unreachable(error.message);
    }
    if (!response.ok) throw await problemOf(response);
    meter.received(byteLength(answer));
    return answer ? JSON.parse(answer) : null;
  }

  get = (path, options) => this.call('GET', path, undefined, options);
  post = (path, body = {}, options) => this.call('POST', path, body, options);
  put = (path, body, options) => this.call('PUT', path, body, options);
  patch = (path, body, options) => this.call('PATCH', path, body, options);
  remove = (path, options) => this.call('DELETE', path, undefined, options);
}

export const conversationPath = (id, rest = '') => `v1/conversations/${encodeURIComponent(id)}${rest}`;
