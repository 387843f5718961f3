// Requests to the server: JSON in, JSON out, and two kinds of failure.

import type { Id } from '@/core/model';

/** The server answered no. `code` is the stable end of the problem's type; `retryAfter` is in seconds, where waiting helps. */
export class Problem extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(
    readonly status: number,
    body: unknown,
    readonly retryAfter: number | null = null,
  ) {
    const { type, title, detail, retry_after } = (body ?? {}) as { type?: string; title?: string; detail?: string; retry_after?: number };
    super(detail || title || `HTTP ${status}`);
    this.code = String(type ?? '').split(':').at(-1) ?? '';
    this.detail = this.message;
    this.retryAfter = retry_after ?? retryAfter;
  }

  /** Nothing was done, or it is not known whether: the same again, later, may well go through. */
  get passing(): boolean {
    return this.retryAfter !== null || this.status >= 500 || this.status === 429 || PASSING.has(this.code);
  }

  /** The token has ended: nothing goes through before another log-in. */
  get ended(): boolean {
    return this.code === 'not-authenticated';
  }
}

// Named too, because on a WebSocket there is no status. A token that ended is not the fault of what was asked.
const PASSING = new Set(['rate-limited', 'overloaded', 'store-unavailable', 'outcome-unknown', 'internal', 'no-node', 'not-authenticated']);

/** No answer came: no network, no server, or a connection that broke. */
export class Unreachable extends Error {}

export interface Asking {
  readonly signal?: AbortSignal;
  /** In milliseconds; 20 seconds unless given. */
  readonly timeout?: number;
  /** It goes on when the page is left meanwhile. */
  readonly keepalive?: boolean;
}

const TIMEOUT = 20_000;
/** For all that there is. */
export const LOADING = 60_000;

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const wait = Number(response.headers.get('Retry-After'));
  return new Problem(response.status, body, wait > 0 ? wait : null);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const unreachable = (error: unknown): Unreachable => new Unreachable(messageOf(error));

export class Api {
  token: string | null = null;
  /** Told when the token in use was refused. */
  onEnded: (() => void) | null = null;

  /** Paths are below `root`: where this page is served from, unless told otherwise. */
  constructor(readonly root: URL = new URL(import.meta.env.BASE_URL, location.href)) {}

  url(path: string): URL {
    return new URL(path, this.root);
  }

  /** The answer as it comes, for streams and files; not-ok is thrown as Problem. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { token } = this;
    const headers = new Headers(init.headers);
    if (token) headers.set('Authorization', `Bearer ${token}`);
    let response: Response;
    try {
      response = await fetch(this.url(path), { cache: 'no-store', credentials: 'omit', ...init, headers });
    } catch (error) {
      throw unreachable(error);
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (problem.ended && token && token === this.token) this.onEnded?.();
    throw problem;
  }

  async call<T>(method: string, path: string, body?: unknown, { signal, timeout = TIMEOUT, keepalive = false }: Asking = {}): Promise<T> {
    const limit = AbortSignal.timeout(timeout);
    const init: RequestInit = { method, keepalive, signal: signal ? AbortSignal.any([signal, limit]) : limit };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    const response = await this.fetch(path, init);
    try {
      const text = await response.text();
      return (text ? JSON.parse(text) : null) as T;
    } catch (error) {
      throw unreachable(error); // it broke off in the middle
    }
  }

  get<T>(path: string, asking?: Asking): Promise<T> {
    return this.call('GET', path, undefined, asking);
  }

  post<T = void>(path: string, body: unknown = {}, asking?: Asking): Promise<T> {
    return this.call('POST', path, body, asking);
  }

  put<T = void>(path: string, body: unknown, asking?: Asking): Promise<T> {
    return this.call('PUT', path, body, asking);
  }

  patch<T = void>(path: string, body: unknown, asking?: Asking): Promise<T> {
    return this.call('PATCH', path, body, asking);
  }

  remove<T = void>(path: string, asking?: Asking): Promise<T> {
    return this.call('DELETE', path, undefined, asking);
  }
}

/** `conversationPath('lobby', '/events?limit=50')`. */
export const conversationPath = (id: Id, rest = ''): string => `v1/conversations/${encodeURIComponent(id)}${rest}`;

/** So many of its events make a page. */
export const PAGE = 50;
export const newestPath = (id: Id): string => conversationPath(id, `/events?limit=${PAGE}`);

export const userPath = (id: Id): string => `v1/users/${encodeURIComponent(id)}`;
