// What Ctrl-K offers: conversations, people, channels and commands, the best of each.

import { Languages, LogOut, Keyboard, MoonStar, Plus, Settings, Smile } from '@lucide/vue';
import type { Component } from 'vue';

import type { Hongyan } from '@/app/hongyan';
import { go, open } from '@/app/router';
import { choose, settings } from '@/app/settings';
import { match, ranked, type Spell } from '@/core/match';
import type { Id, Known, Person, Room } from '@/core/model';
import { ordered, other, title } from '@/core/order';
import type { AvatarKind } from '@/ui/base/pictures';
import { making } from '@/ui/details/making';
import { leaveHere } from '@/ui/frame/me';
import { places } from '@/ui/frame/places';
import { avatarKind, listed } from '@/ui/list/rows';
import { openDirect } from '@/ui/people/people';
import { settingStatus } from '@/ui/settings/open';
import { t } from '@/words';

import { showingKeys } from './open';

export interface Found {
  readonly key: string;
  readonly name: string;
  readonly below: string;
  /** A person or a conversation has an avatar, a command a sign. */
  readonly avatar: { readonly id: Id; readonly kind: AvatarKind; readonly hash?: string | undefined } | null;
  readonly icon: Component | null;
  readonly keys: string;
  readonly unread: number;
  readonly ranges: readonly (readonly [number, number])[];
  readonly act: () => unknown;
}

interface Section {
  readonly name: string;
  readonly found: readonly Found[];
}

const most = 8;
const bare = { below: '', avatar: null, icon: null, keys: '', unread: 0, ranges: [] } as const;

function ofRoom(room: Room, known: Known): Found {
  const peer = other(room, known);
  return {
    ...bare,
    key: `room ${room.id}`,
    name: title(room, known),
    below: peer ? `@${peer.id}` : (room.topic ?? t('channels.members', { n: room.member_count })),
    avatar: { id: peer?.id ?? room.id, kind: avatarKind(room) },
    unread: room.unread,
    act: () => open(room.id),
  };
}

const ofPerson = (person: Person, hongyan: Hongyan): Found => ({
  ...bare,
  key: `person ${person.id}`,
  name: person.name,
  below: `@${person.id}`,
  avatar: { id: person.id, kind: 'person', hash: person.avatar },
  act: () => openDirect(hongyan, person.id),
});

/** Somebody of another server has an address; whether there is one like this, that server knows. */
const ADDRESS = /^[^@\s/]+@[^@\s/.]+(\.[^@\s/.]+)+$/;
const ofAddress = (address: string, hongyan: Hongyan): Found => ({
  ...bare,
  key: `person ${address}`,
  name: address,
  below: t('goto.address'),
  avatar: { id: address, kind: 'person' },
  act: () => openDirect(hongyan, address),
});

export function commands(hongyan: Hongyan): Found[] {
  const command = (name: string, icon: Component, act: () => unknown, keys = ''): Found => ({ ...bare, key: `command ${name}`, name, icon, keys, act });
  const isDark = document.documentElement.dataset['theme'] === 'dark';
  return [
    ...places.map((place) => command(t('goto.to', { place: t(place.name) }), place.icon, () => go(place.route), place.keys)),
    command(t('new.group'), Plus, () => (making.value = 'group')),
    command(t('new.channel'), Plus, () => (making.value = 'channel')),
    command(t('me.status'), Smile, () => (settingStatus.value = true)),
    command(t(isDark ? 'goto.light' : 'goto.dark'), MoonStar, () => choose('theme', isDark ? 'light' : 'dark')),
    command(t('goto.language'), Languages, () => choose('language', settings.language === 'zh' ? 'en' : 'zh')),
    command(t('frame.settings'), Settings, () => go({ page: 'settings' }), 'Ctrl+,'),
    command(t('keys.title'), Keyboard, () => (showingKeys.value = true), '?'),
    command(t('me.logout'), LogOut, () => leaveHere(hongyan)),
  ];
}

/** `people` is what the server found for the same question. Everything with `>` before it asks for commands alone. */
export function sections(hongyan: Hongyan, asked: string, people: readonly Person[], spell: Spell | undefined): Section[] {
  const known = hongyan.known.value;
  const only = asked.startsWith('>');
  const q = asked.replace(/^>/, '').trim();
  const mark = (found: Found): Found => ({ ...found, ranges: match(q, found.name, spell)?.ranges ?? [] });
  const texts = ({ name, below }: Found): string[] => [name, below.replace(/^@/, '')];

  // What was put away is found, too, by who looks for something.
  const here = [...listed(known), ...(q ? ordered(known).archived : [])];
  const rooms = here.filter(({ kind }) => kind !== 'channel').map((room) => ofRoom(room, known));
  const channels = here.filter(({ kind }) => kind === 'channel').map((room) => ofRoom(room, known));
  if (!q && !only) return [{ name: t('goto.recent'), found: [...rooms, ...channels].slice(0, most) }];

  // Who one writes with already stands among the conversations.
  const written = new Set(rooms.flatMap(({ avatar }) => (avatar?.kind === 'person' ? [avatar.id] : [])));
  const names = new Map([...known.names].map(([id, name]) => [id, { id, name }]));
  for (const person of people) names.set(person.id, person);
  const others = [...names.values()].filter(({ id }) => !written.has(id) && id !== known.me?.id).map((person) => ofPerson(person, hongyan));
  const address = q.toLowerCase();
  const unmet = ADDRESS.test(address) && !written.has(address) && !names.has(address) ? [ofAddress(address, hongyan)] : [];
  const best = (all: readonly Found[]): Found[] => ranked(q, all, texts, spell).slice(0, most).map(mark);

  const all: Section[] = only
    ? [{ name: t('goto.commands'), found: q ? best(commands(hongyan)) : commands(hongyan) }]
    : [
        { name: t('goto.conversations'), found: best(rooms) },
        { name: t('goto.channels'), found: best(channels) },
        { name: t('goto.people'), found: [...best(others), ...unmet] },
        { name: t('goto.commands'), found: best(commands(hongyan)) },
        { name: t('goto.elsewhere'), found: [{ ...bare, key: 'search', name: t('goto.search', { q }), icon: places.at(-1)!.icon, act: () => go({ page: 'search', q }) }] },
      ];
  return all.filter(({ found }) => found.length);
}
