// A small server in the process of the tests: a log, a snapshot, history, and the four ways.

import { vi } from 'vitest';

import type { Conversation, Event, Snapshot } from '@/core/model';

type Answer = (path: URL, body: any, init: RequestInit) => unknown;

export const problem = (code: string, status: number, retry?: number): Response =>
  new Response(JSON.stringify({ type: `urn:hongyan:error:${code}`, detail: code, ...(retry === undefined ? {} : { retry_after: retry }) }), { status });

export class FakeServer {
  /** No network at all. */
  up = true;
  /** Ways that a proxy lets hang, or cuts at once. */
  readonly cut = new Set<'ws' | 'sse' | 'events'>();
  readonly log: Event[] = [];
  readonly asked: string[] = [];
  readonly sockets = new Set<FakeSocket>();
  readonly streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly waiting = new Set<() => void>();
  /** Answers in place of the usual ones, by `METHOD path`. */
  readonly answers = new Map<string, Answer>();
  readonly sent = new Map<string, Event>();
  epoch = 'e';
  #cut = 0;

  install(): this {
    const server = this;
    vi.stubGlobal('fetch', (url: URL, init: RequestInit) => this.#fetch(new URL(url), init));
    vi.stubGlobal(
      'WebSocket',
      class extends FakeSocket {
        constructor(url: URL) {
          super(new URL(url), server);
        }
      },
    );
    return this;
  }

  get position(): number {
    return this.log.length;
  }

  get cursor(): string {
    return `${this.epoch}.${this.position}`;
  }

  /** Another event of the log; everybody who follows is given it. */
  add(conversation: string, type: string, content: unknown, { sender = 'bob', client_id }: { sender?: string; client_id?: string } = {}): Event {
    const seq = this.log.filter((event) => event.conversation === conversation).length + 1;
    const cursor = `${this.epoch}.${this.position + 1}`;
    const event: Event = { cursor, conversation, seq, type, sender, time: Date.now(), content, ...(client_id ? { client_id } : {}) };
    this.log.push(event);
    for (const socket of this.sockets) socket.give({ op: 'events', events: [event], cursor });
    for (const stream of this.streams) stream.enqueue(line({ events: [event] }, cursor));
    for (const wake of [...this.waiting]) wake();
    return event;
  }

  say(text: string, conversation = 'lobby', sender = 'bob'): Event {
    return this.add(conversation, 'message', { type: 'text', text }, { sender });
  }

  signal(signal: object): void {
    for (const socket of this.sockets) socket.give({ op: 'signal', ...signal });
  }

  verdict(verdict: object): void {
    for (const socket of [...this.sockets]) {
      socket.give({ op: 'close', ...verdict });
      socket.drop(4001);
    }
  }

  /** Everything that stands breaks. */
  breakOff(): void {
    for (const socket of [...this.sockets]) socket.drop(1006);
    for (const stream of this.streams) stream.error(new TypeError('broken'));
    this.streams.clear();
  }

  conversation(id = 'lobby'): Conversation {
    const events = this.log.filter((event) => event.conversation === id);
    const messages = events.filter(({ type }) => type === 'message');
    const read = this.log.filter(({ type, content }) => type === 'read' && content.conversation === id).at(-1)?.content.seq ?? 0;
    return {
      id, kind: 'group', title: id, topic: null, history: 'all', writers: 'all', role: 'member', first_seq: 1, head_seq: events.length, read_seq: read,
      unread: messages.filter(({ seq, sender }) => seq > read && sender !== 'lin').length, mentioned: 0, last: messages.at(-1) ?? null, amended: null,
      member_count: 2, members: [{ id: 'lin', name: '林', role: 'member' }, { id: 'bob', name: 'Bob', role: 'member' }], cursor: this.cursor,
    };
  }

  snapshot(): Snapshot {
    return { cursor: this.cursor, user: { id: 'lin', name: '林', admin: false }, conversations: [this.conversation()], preferences: {}, status_text: null };
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    const what = `${init.method ?? 'GET'} ${url.pathname}`;
    this.asked.push(`${what}${url.search}`);
    if (!this.up) throw new TypeError('no network');
    const given = this.answers.get(what);
    const body = init.body ? JSON.parse(String(init.body)) : undefined;
    const answer = given ? await given(url, body, init) : await this.#answer(url, body, init);
    return answer instanceof Response ? answer : new Response(answer === undefined ? null : JSON.stringify(answer), { status: answer === undefined ? 204 : 200 });
  }

  #answer(url: URL, body: any, init: RequestInit): unknown {
    const [, , first = '', second = '', third] = url.pathname.split('/');
    const get = (name: string): number | null => (url.searchParams.has(name) ? Number(url.searchParams.get(name)) : null);
    if (first === 'me' && second === 'acts') return { position: this.add('user:lin', body.act.type, body.act, { sender: 'lin' }) && this.position };
    if (first === 'me') return { id: 'lin', name: '林' };
    if (first === 'snapshot') return this.snapshot();
    if (first === 'online') return { users: [{ id: 'bob', name: 'Bob', status: 'online', status_text: null }] };
    if (first === 'users') return { id: second, name: second.toUpperCase() };
    if (first === 'login') return { token: 'T', token_id: 'i', user_id: body.username, name: '林', device: body.device, change_password: false };
    if (first === 'conversations' && third === 'messages') return this.send(second, body.client_id, body.content);
    if (first === 'conversations' && third === 'acts') return { ...this.add(second, body.act.type, body.act, { sender: 'lin' }), position: this.position };
    if (first === 'conversations' && third === 'read') {
      this.add('user:lin', 'read', { conversation: second, seq: body.seq }, { sender: 'lin' });
      return { seq: body.seq };
    }
    if (first === 'conversations' && third === 'events') {
      const all = this.log.filter((event) => event.conversation === second);
      const [before, after, limit] = [get('before'), get('after'), get('limit') ?? 50];
      const around = get('around');
      if (around !== null) {
        const [up, above] = [all.filter(({ seq }) => seq <= around), all.filter(({ seq }) => seq > around)];
        const [below, after] = [Math.ceil(limit / 2), Math.floor(limit / 2)];
        return { events: [...up.slice(-below), ...above.slice(0, after)], more: up.length > below, newer: above.length > after, amended: [] };
      }
      const these = all.filter(({ seq }) => (before === null || seq < before) && (after === null || seq > after));
      return { events: after === null ? these.slice(-limit) : these.slice(0, limit), more: these.length > limit, amended: [] };
    }
    if (first === 'conversations' && third === undefined) return this.conversation(second);
    if (first === 'events' && second === 'sse') return this.#stream(url, init);
    if (first === 'events') return this.#poll(url, init);
    return undefined;
  }

  send(conversation: string, client_id: string, content: unknown): { seq: number; position: number; time: number } {
    const event = this.sent.get(client_id) ?? this.add(conversation, 'message', content, { sender: 'lin', client_id });
    this.sent.set(client_id, event);
    return { seq: event.seq, position: Number(event.cursor.split('.')[1]), time: event.time };
  }

  after(url: URL): { events: Event[]; cursor: string; limited?: true } {
    const [epoch, position] = (url.searchParams.get('after') ?? '').split('.');
    if (epoch !== this.epoch) return { events: [], cursor: this.cursor, limited: true };
    return { events: this.log.slice(Number(position)), cursor: this.cursor };
  }

  #stream(url: URL, { signal }: RequestInit): Response {
    if (this.cut.has('sse')) throw new TypeError(`cut ${(this.#cut += 1)}`);
    let mine: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        mine = stream;
        this.streams.add(stream);
        const { cursor, ...map } = this.after(url);
        stream.enqueue(line(map, cursor));
      },
    });
    signal?.addEventListener('abort', () => this.streams.delete(mine) && mine.error(new DOMException('aborted', 'AbortError')));
    return new Response(body, { status: 200 });
  }

  async #poll(url: URL, { signal }: RequestInit): Promise<object> {
    if (this.cut.has('events')) throw new TypeError('cut');
    if (url.searchParams.has('wait') && this.after(url).events.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.waiting.add(resolve);
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
      this.waiting.clear();
    }
    return { ...this.after(url), more: false };
  }
}

const line = (map: object, cursor: string): Uint8Array => new TextEncoder().encode(`id: ${cursor}\ndata: ${JSON.stringify(map)}\n\n`);

export class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    readonly url: URL,
    private readonly server: FakeServer,
  ) {
    queueMicrotask(() => {
      if (!server.up || server.cut.has('ws')) return this.drop(1006);
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const frame = JSON.parse(text);
    this.server.asked.push(`ws ${frame.op}`);
    if (frame.op === 'auth' && frame.token === 'ended') return this.give({ op: 'error', ref: frame.ref, type: 'urn:hongyan:error:not-authenticated', detail: 'ended' });
    if (frame.op === 'auth') {
      this.give({ op: 'ack', ref: frame.ref, user_id: 'lin' });
      this.give({ op: 'events', ...this.server.after(this.url) });
      this.server.sockets.add(this);
    } else if (frame.op === 'send') this.give({ op: 'ack', ref: frame.ref, ...this.server.send(frame.conversation, frame.client_id, frame.content) });
    else if (frame.op === 'read') {
      this.server.add('user:lin', 'read', { conversation: frame.conversation, seq: frame.seq }, { sender: 'lin' });
      this.give({ op: 'ack', ref: frame.ref, seq: frame.seq });
    }
  }

  give(frame: object): void {
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data: JSON.stringify(frame) }));
  }

  drop(code: number): void {
    queueMicrotask(() => {
      if (this.readyState === 3) return;
      this.close();
      this.onclose?.({ code });
    });
  }

  close(): void {
    this.readyState = 3;
    this.server.sockets.delete(this);
  }
}
