// People: who they are, who is there, and a conversation with one of them.

import type { Hongyan } from '@/app/hongyan';
import { open } from '@/app/router';
import type { Conversation, Id, Known, Member, Person, Presence, StatusText, Time } from '@/core/model';
import { other } from '@/core/order';
import { type Api, conversationPath } from '@/link/api';
import { useToasts } from '@/ui/base/toasts';

interface Device {
  readonly device: string;
  readonly transport: string;
  readonly status: Presence;
  readonly since: Time;
}

interface OnlinePerson extends Person {
  readonly status: Presence;
  readonly text: string | null;
  readonly devices: readonly Device[];
  readonly status_text: StatusText | null;
}

export const onlinePeople = (api: Api, signal?: AbortSignal): Promise<readonly OnlinePerson[]> =>
  api.get<{ users: readonly OnlinePerson[] }>('v1/online', signal ? { signal } : {}).then(({ users }) => users);

const query = (q: string, limit: number): string => new URLSearchParams({ q, limit: String(limit) }).toString();

/** Whose id or name has it in it; all there are, up to the limit, when nothing is asked. */
export function findPeople(api: Api, q: string, signal?: AbortSignal, limit = 50): Promise<readonly Person[]> {
  const path = q ? `v1/search/people?${query(q, limit)}` : `v1/users?limit=${limit}`;
  return api.get<{ users: readonly Person[] }>(path, signal ? { signal } : {}).then(({ users }) => users);
}

const PAGE = 200;
const MOST = 10_000;

/** Members of a large conversation: a page of them, or all, as far as that is reasonable. */
export async function membersOf(api: Api, conversation: Id, whole: boolean, signal?: AbortSignal): Promise<readonly Member[]> {
  const found: Member[] = [];
  for (let more = true; more && found.length < MOST; more &&= whole) {
    const after = found.at(-1)?.id;
    const page = new URLSearchParams({ limit: String(PAGE), ...(after ? { after } : {}) });
    const answer = await api.get<{ members: readonly Member[]; more: boolean }>(conversationPath(conversation, `/members?${page}`), signal ? { signal } : {});
    found.push(...answer.members);
    more = answer.more && answer.members.length > 0;
  }
  return found;
}

/** The conversation with somebody, if there is one already. */
function directWith(known: Known, user: Id): Id | null {
  for (const room of known.rooms.values()) {
    if (room.kind === 'direct' && other(room, known)?.id === user) return room.id;
  }
  return null;
}

export async function openDirect(hongyan: Hongyan, user: Id): Promise<void> {
  const there = directWith(hongyan.known.value, user);
  if (there) return open(there);
  await useToasts().attempt(async () => {
    const made = await hongyan.api.post<Conversation>('v1/conversations', { kind: 'direct', members: [user] });
    hongyan.take(made);
    open(made.id);
  });
}

/** What is said of oneself holds until its end, and nothing tells of that. */
export const standing = (status: StatusText | null | undefined, now: Time): StatusText | null =>
  status && (!status.until || status.until > now) ? status : null;
