// A ticket becomes a token that is good for one conversation, and what is asked for the whole client is asked for that one.

import type { Session } from '@/app/hongyan';
import { createHongyan, type Store } from '@/app/store';
import type { Conversation, Id, Me, Snapshot } from '@/core/model';
import { Api, type Asking, conversationPath } from '@/link/api';

interface Begun {
  readonly token: string;
  readonly conversation: Id;
}

interface Self extends Me {
  readonly device: string;
  readonly token_id: string;
}

class RoomApi extends Api {
  conversation: Id = '';

  override async call<T>(method: string, path: string, body?: unknown, asking?: Asking): Promise<T> {
    if (method === 'GET' && path === 'v1/snapshot') return (await this.#snapshot(asking)) as T;
    if (method === 'GET' && path === 'v1/online') return { users: [] } as T; // who is there is not told
    return super.call(method, path, body, asking);
  }

  async #snapshot(asking?: Asking): Promise<Snapshot> {
    const [{ id, name, admin }, conversation] = await Promise.all([
      this.get<Self>('v1/me', asking),
      this.get<Conversation>(conversationPath(this.conversation), asking),
    ]);
    return { cursor: conversation.cursor ?? '', user: { id, name, admin }, conversations: [conversation], preferences: {}, status_text: null };
  }
}

export interface Embedded {
  readonly hongyan: Store;
  readonly conversation: Id;
}

/** A ticket is good once: what fails after it was taken goes on, when it is tried again, with what it gave. */
let taken: { readonly ticket: string; readonly begun: Begun } | null = null;

/** Throws Problem (a ticket is good once, for ten minutes) and Unreachable. */
export async function begin(ticket: string): Promise<Embedded> {
  const api = new RoomApi();
  api.token = ticket;
  if (taken?.ticket !== ticket) taken = { ticket, begun: await api.post<Begun>('v1/embed/session') };
  const { token, conversation } = taken.begun;
  api.token = token;
  api.conversation = conversation;
  const { id, name, device, token_id } = await api.get<Self>('v1/me');
  const session: Session = { user: id, name, token, token_id, device };
  const store = createHongyan({ api, alone: session });
  // It may do nothing but read, write and react: the rest is not tried.
  const hongyan: Store = Object.create(store, {
    own: { value: () => Promise.resolve() },
    read: { value: () => undefined },
    typing: { value: () => undefined },
  }) as Store;
  return { hongyan, conversation };
}
