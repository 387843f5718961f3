// People: who they are, who is there, and a conversation with one of them.

import type { Hongyan } from '@/app/hongyan';
import { open } from '@/app/router';
import type { Conversation, Id, Known, Member, Person, Presence, Room, StatusText, Time } from '@/core/model';
import { nameOf, other } from '@/core/order';
import { type Api, type Asking, conversationPath } from '@/link/api';
import { MOST, whole } from '@/link/whole';
import { useToasts } from '@/ui/base/toasts';
import { duringLogin } from '@/ui/room/lasting';

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

/** Who is there, as it is known at this moment. */
export const peopleThere = (known: Pick<Known, 'presence' | 'names'>): readonly Person[] =>
  [...known.presence]
    .flatMap(([id, { status }]) => (status === 'offline' ? [] : [{ id, name: nameOf(known, id) }]))
    .sort((a, b) => a.name.localeCompare(b.name, ['zh-CN', 'en'], { numeric: true }));

const query = (q: string, limit: number): string => new URLSearchParams({ q, limit: String(limit) }).toString();

/** Whose id or name has it in it; all there are, up to the limit, when nothing is asked. */
export function findPeople(api: Api, q: string, signal?: AbortSignal, limit = 50): Promise<readonly Person[]> {
  const path = q ? `v1/search/people?${query(q, limit)}` : `v1/users?limit=${limit}`;
  return api.get<{ users: readonly Person[] }>(path, signal ? { signal } : {}).then(({ users }) => users);
}

const REASONABLE = 10_000;

function membersAfter(api: Api, conversation: Id, after: Id | undefined, limit: number, asking?: Asking): Promise<{ members: readonly Member[]; more: boolean }> {
  const query = new URLSearchParams({ limit: String(limit), ...(after ? { after } : {}) });
  return api.get(conversationPath(conversation, `/members?${query}`), asking);
}

/** Some of the members of a large conversation. */
export const someMembers = async (api: Api, conversation: Id, signal: AbortSignal): Promise<readonly Member[]> =>
  (await membersAfter(api, conversation, undefined, 200, { signal })).members;

/** As they were when there were so many. */
interface Asked {
  readonly count: number;
  readonly members: Promise<readonly Member[]>;
}
const asked = duringLogin(() => new Map<Id, Asked>());

/** All members, as far as that is reasonable. Of a large conversation they are asked for once, until their number is another, or `anew`. */
export function allMembers(hongyan: Hongyan, room: Pick<Room, 'id' | 'members' | 'member_count'>, anew = false): Promise<readonly Member[]> {
  if (room.members) return Promise.resolve(room.members);
  const lists = asked(hongyan);
  const kept = lists.get(room.id);
  if (kept?.count === room.member_count && !anew) return kept.members;
  const members = whole<Member>(async (last) => {
    const page = await membersAfter(hongyan.api, room.id, last?.id, MOST);
    return { items: page.members, more: page.more };
  }, REASONABLE);
  lists.set(room.id, { count: room.member_count, members });
  members.catch(() => lists.get(room.id)?.members === members && lists.delete(room.id));
  return members;
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
