// What can be done with a conversation from outside: in its row, and in the drawer.

import { Archive, ArchiveRestore, ArrowDown, ArrowUp, AtSign, Bell, BellOff, CheckCheck, CircleDot, Info, LogOut, Pin, PinOff } from '@lucide/vue';
import { nextTick, shallowRef } from 'vue';

import type { Hongyan } from '@/app/hongyan';
import { go, open, route } from '@/app/router';
import type { Id, Level, Room, Time } from '@/core/model';
import { ordered, title } from '@/core/order';
import { conversationPath } from '@/link/api';
import { tomorrowAt } from '@/ui/base/clock';
import type { MenuEntry } from '@/ui/base/menu';
import { useToasts } from '@/ui/base/toasts';
import { details } from '@/ui/details/open';
import { t } from '@/words';

const toasts = useToasts();
const hour = 3_600_000;
/** Until one says otherwise: the wire has no word for ever. */
const forEver: Time = Date.UTC(2999, 0, 1);
const levels: readonly Level[] = ['all', 'mentions', 'nothing'];

/** Being left, while it can still be undone: not shown. */
export const leaving = shallowRef<ReadonlySet<Id>>(new Set());

export function notify({ own }: Hongyan, room: Room, change: { level?: Level; until?: Time | null }): Promise<boolean> {
  const level = change.level ?? room.own.level ?? 'all';
  const until = change.until === undefined ? room.own.muted_until : change.until;
  return toasts.attempt(() =>
    own({ type: 'notify', conversation: room.id, level, ...(until && until > Date.now() ? { muted_until: until } : {}) }),
  );
}

export const arrange = ({ own }: Hongyan, room: Room, change: { pinned?: boolean; archived?: boolean; place?: number }): Promise<void> => {
  const { pinned = false, archived = false, place } = { ...room.own, ...change };
  return own({ type: 'arrange', conversation: room.id, pinned, archived, ...(pinned && place !== undefined ? { place } : {}) });
};

/** To the place that another one has, which makes way. Those that stand where they did are not told again. */
export async function movePin(hongyan: Hongyan, id: Id, to: number): Promise<void> {
  const rooms = [...ordered(hongyan.known.value).pinned];
  const at = rooms.findIndex((room) => room.id === id);
  if (at < 0 || to < 0 || to >= rooms.length) return;
  rooms.splice(to, 0, ...rooms.splice(at, 1));
  const moved = rooms.flatMap((room, place) => (room.own.place === place ? [] : [arrange(hongyan, room, { place })]));
  await toasts.attempt(() => Promise.all(moved));
}

export async function archive(hongyan: Hongyan, room: Room): Promise<void> {
  const there = room.own.archived ?? false;
  const pinned = room.own.pinned ?? false;
  const done = await toasts.attempt(() => arrange(hongyan, room, { archived: !there, pinned: there && pinned }));
  if (done) {
    toasts.undo(t(there ? 'list.unarchived' : 'list.archived_it', { title: title(room, hongyan.known.value) }), () =>
      arrange(hongyan, room, { archived: there, pinned }),
    );
  }
}

/** One cannot always come back, so it is done only when it can no longer be undone. */
export function leave({ api, known }: Hongyan, room: Room): void {
  const me = known.value.me?.id;
  if (!me) return;
  const show = (gone: boolean): void => {
    const now = new Set(leaving.value);
    if (gone) now.add(room.id);
    else now.delete(room.id);
    leaving.value = now;
  };
  const here = route.value.page === 'conversation' && route.value.conversation === room.id;
  show(true);
  if (here) go({ page: 'home' }, 'replace');
  toasts.later(
    t('list.left', { title: title(room, known.value) }),
    async () => {
      try {
        await api.remove(conversationPath(room.id, `/members/${encodeURIComponent(me)}`));
      } catch (error) {
        show(false);
        throw error;
      }
      setTimeout(() => show(false), 3000); // by then its event has come
    },
    () => {
      show(false);
      if (here) open(room.id);
    },
  );
}

function markUnread({ own }: Hongyan, room: Room): void {
  if (room.last) void toasts.attempt(() => own({ type: 'unread', conversation: room.id, seq: room.last!.seq }));
}

function levelItems(hongyan: Hongyan, room: Room): MenuEntry[] {
  const now = room.own.level ?? 'all';
  return levels.map((level) => ({ label: t(`level.${level}`), checked: level === now, act: () => notify(hongyan, room, { level }) }));
}

export function muteItems(hongyan: Hongyan, room: Room): MenuEntry[] {
  return [
    { label: t('list.mute_hour'), act: () => notify(hongyan, room, { until: Date.now() + hour }) },
    { label: t('list.mute_morning'), act: () => notify(hongyan, room, { until: tomorrowAt(8) }) },
    { label: t('list.mute_ever'), act: () => notify(hongyan, room, { until: forEver }) },
  ];
}

/** Muted until a moment worth naming. */
export const mutedUntil = (room: Room, now: Time): Time | null =>
  room.own.muted_until && room.own.muted_until > now && room.own.muted_until < forEver ? room.own.muted_until : null;

/** By the keyboard what dragging does. */
function moveItems(hongyan: Hongyan, { id }: Room): MenuEntry[] {
  const all = ordered(hongyan.known.value).pinned;
  const at = all.findIndex((room) => room.id === id);
  if (at < 0 || all.length < 2) return [];
  const move = async (to: number): Promise<void> => {
    void movePin(hongyan, id, to); // it is shown at once
    await nextTick();
    document.querySelector<HTMLElement>(`a.row[data-id="${CSS.escape(id)}"]`)?.focus(); // it may have lost it on its way
  };
  return [
    { label: t('list.up'), icon: ArrowUp, disabled: at === 0, act: () => move(at - 1) },
    { label: t('list.down'), icon: ArrowDown, disabled: at === all.length - 1, act: () => move(at + 1) },
  ];
}

export function roomMenu(hongyan: Hongyan, room: Room): MenuEntry[] {
  const { pinned, archived, muted_until } = room.own;
  const muted = muted_until !== undefined && muted_until > Date.now();
  return [
    {
      label: t(pinned ? 'list.unpin' : 'list.pin'),
      icon: pinned ? PinOff : Pin,
      act: () => toasts.attempt(() => arrange(hongyan, room, { pinned: !pinned })),
    },
    ...moveItems(hongyan, room),
    room.unread
      ? { label: t('list.mark_read'), icon: CheckCheck, act: () => hongyan.read(room.id, room.head_seq) }
      : { label: t('list.mark_unread'), icon: CircleDot, disabled: !room.last, act: () => markUnread(hongyan, room) },
    muted
      ? { label: t('list.unmute'), icon: Bell, act: () => notify(hongyan, room, { until: null }) }
      : { label: t('list.mute'), icon: BellOff, items: muteItems(hongyan, room) },
    { label: t('list.level'), icon: AtSign, hint: t(`level.${room.own.level ?? 'all'}`), items: levelItems(hongyan, room) },
    {
      label: t('list.details'),
      icon: Info,
      act: () => {
        open(room.id);
        details.value = true;
      },
    },
    null,
    { label: t(archived ? 'list.unarchive' : 'list.archive'), icon: archived ? ArchiveRestore : Archive, act: () => archive(hongyan, room) },
    ...(room.kind === 'direct' ? [] : [{ label: t('list.leave'), icon: LogOut, danger: true, act: () => leave(hongyan, room) }]),
  ];
}
