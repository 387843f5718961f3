// What has happened in a conversation, in words. Pure.

import type { Event, Id, Known, Person } from '@/core/model';
import { nameOf } from '@/core/order';
import type { Key } from '@/words';

type Say = (key: Key, put?: Readonly<Record<string, string | number>>) => string;

const NAMED = 6;

/** Why something did not come to another server (RFC 6120, section 8.3.3), where there are better words than that it was refused. */
const WHY: Readonly<Record<string, Key>> = {
  'item-not-found': 'room.why_nobody',
  'recipient-unavailable': 'room.why_nobody',
  'remote-server-not-found': 'room.why_no_server',
  'remote-server-timeout': 'room.why_silent',
  'resource-constraint': 'room.why_full',
  'service-unavailable': 'room.why_nobody',
};

/** A sentence that begins with “you” begins large, where letters do. */
export const begun = (said: string, t: Say): string => (said.startsWith(t('room.you')) ? said.charAt(0).toUpperCase() + said.slice(1) : said);

/** Empty where there is nothing to tell. */
export const happened = (event: Event, known: Known, t: Say): string => begun(told(event, known, t), t);

function told(event: Event, known: Known, t: Say): string {
  const name = (id: Id | null): string => (id === null ? t('room.somebody') : id === known.me?.id ? t('room.you') : nameOf(known, id));
  const { content } = event;
  const who = name(event.sender);
  switch (event.type) {
    case 'create':
      return content.kind === 'direct' ? t('room.made_direct') : t('room.made', { who, title: content.title ?? '' });
    case 'member':
      return membered(event, who, name, t);
    case 'settings':
      return changed(content, who, t);
    case 'pin':
      return t('room.pinned_by', { who });
    case 'undelivered':
      return t('room.undelivered', { whom: name(content.user), why: t(WHY[content.reason as string] ?? 'room.why_refused') });
    default:
      return '';
  }
}

function membered({ sender, content }: Event, who: string, name: (id: Id) => string, t: Say): string {
  const people: readonly Person[] = content.users ?? [];
  const shown = people.slice(0, NAMED).map(({ id }) => name(id)).join(t('room.comma'));
  const whom = people.length > NAMED ? t('room.and_others', { names: shown, n: people.length }) : shown;
  const alone = people.length === 1 && people[0]!.id === sender;
  const said = ((): string => {
    switch (content.action) {
      case 'add':
        return alone || sender === null ? t('room.joined', { whom }) : t('room.added', { who, whom });
      case 'remove':
        return t('room.removed', { who, whom });
      case 'leave':
        return t('room.left', { whom });
      case 'role':
        return people.map(({ id, role }: Person & { role?: string }) => t(role === 'owner' ? 'room.now_owner' : role === 'admin' ? 'room.now_admin' : 'room.now_member', { whom: name(id) })).join(t('room.comma'));
      default:
        return '';
    }
  })();
  return content.owner ? `${said}${t('room.comma')}${t('room.now_owner', { whom: name(content.owner) })}` : said;
}

function changed(content: { title?: string; topic?: string | null; history?: string; writers?: string }, who: string, t: Say): string {
  const said: string[] = [];
  if (content.title !== undefined) said.push(t('room.set_title', { who, title: content.title }));
  if (content.topic !== undefined) said.push(content.topic ? t('room.set_topic', { who, topic: content.topic }) : t('room.set_no_topic', { who }));
  if (content.history) said.push(t(content.history === 'all' ? 'room.set_history_all' : 'room.set_history_joined', { who }));
  if (content.writers) said.push(t(content.writers === 'nobody' ? 'room.set_archived' : content.writers === 'admins' ? 'room.set_admins' : 'room.set_all', { who }));
  return said.join(t('room.comma'));
}
