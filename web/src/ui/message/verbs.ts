// What can be done to a message, and the menu that offers it.

import {
  AlarmClock, Bookmark, BookmarkX, CheckCheck, Copy, EyeOff, Forward, Link, ListChecks, MailOpen, MessageSquareText, Pencil, Pin, PinOff, Reply, SmilePlus, Undo2,
} from '@lucide/vue';

import { href, conversationRoute } from '@/app/router';
import { embedded } from '@/app/embedded';
import { useHongyan, type Hongyan } from '@/app/hongyan';
import { fileOf } from '@/core/file';
import type { Seq } from '@/core/model';
import { nameOf } from '@/core/order';
import { conversationPath } from '@/link/api';
import { confirm } from '@/ui/base/confirm';
import type { MenuEntry, MenuItem } from '@/ui/base/menu';
import { useToasts } from '@/ui/base/toasts';
import { leads, mayWrite, useDesk, type Desk } from '@/ui/room/desk';
import { t } from '@/words';

import { spoken, wordsOf, type Said } from './said';

const DAY = 86_400_000;

function verbsOf(hongyan: Hongyan, desk: Desk) {
  const toasts = useToasts();
  const { conversation } = desk;

  const mine = (said: Said): boolean => said.sender === hongyan.known.value.me?.id;
  const young = (said: Said): boolean => Date.now() - said.time < DAY;
  const alive = (): boolean => desk.room.value !== undefined && desk.room.value.writers !== 'nobody';
  const gone = (said: Said): boolean => said.content.type === 'recalled';
  const name = (id: string): string => nameOf(hongyan.known.value, id);

  const can = {
    reply: (said: Said) => mayWrite(desk.room.value) && !gone(said),
    react: (said: Said) => alive() && !gone(said),
    edit: (said: Said) => !embedded && mine(said) && said.content.type === 'text' && young(said) && mayWrite(desk.room.value),
    recall: (said: Said) =>
      !embedded && !gone(said) && alive() && ((mine(said) && young(said)) || (desk.room.value?.kind !== 'direct' && leads(desk.room.value))),
    pin: (said: Said) => !embedded && mayWrite(desk.room.value) && !gone(said) && desk.root === null,
  };

  const noteOf = (said: Said): string | undefined => hongyan.known.value.bookmarks?.get(conversation)?.get(said.seq);
  const bookmarked = (said: Said): boolean => noteOf(said) !== undefined;

  async function copy(text: string): Promise<boolean> {
    const done = await toasts.attempt(() => navigator.clipboard.writeText(text));
    if (done) toasts.say(t('room.copied'));
    return done;
  }

  const verbs = {
    can,
    bookmarked,
    reply(said: Said): void {
      desk.doing.value = { kind: 'reply', said };
      desk.focus();
    },
    edit(said: Said): void {
      desk.doing.value = { kind: 'edit', said };
      desk.focus();
    },
    async react(said: Said, emoji: string): Promise<void> {
      const has = said.amended?.reactions?.[emoji]?.mine;
      await toasts.attempt(() => hongyan.act(conversation, { type: has ? 'unreact' : 'react', seq: said.seq, emoji }));
    },
    async recall(said: Said): Promise<void> {
      const act = t('room.recall');
      if (!(await confirm({ title: t('room.recall_question'), text: t(mine(said) ? 'room.recall_own' : 'room.recall_other'), act, danger: true }))) return;
      await toasts.attempt(() => hongyan.act(conversation, { type: 'recall', seq: said.seq }));
    },
    /** Its author gets the text of a message that was taken back, for some minutes. */
    async again(said: Said): Promise<void> {
      await toasts.attempt(async () => {
        const content = await hongyan.api.get<{ text?: string }>(conversationPath(conversation, `/messages/${said.seq}/recalled`));
        desk.again.value = content.text ?? '';
        desk.focus();
      });
    },
    async pin(said: Said): Promise<void> {
      const type = said.amended?.pinned ? 'unpin' : 'pin';
      if (await toasts.attempt(() => hongyan.act(conversation, { type, seq: said.seq }))) toasts.say(t(type === 'pin' ? 'room.pinned' : 'room.unpinned'));
    },
    /** Undone, it has its note again. */
    async bookmark(said: Said): Promise<void> {
      const note = noteOf(said);
      const place = { conversation, seq: said.seq } as const;
      const keep = () => hongyan.own({ type: 'bookmark', ...place, ...(note ? { note } : {}) });
      const leave = () => hongyan.own({ type: 'unbookmark', ...place });
      const [act, back] = note === undefined ? [keep, leave] : [leave, keep];
      if (await toasts.attempt(act)) toasts.undo(t(note === undefined ? 'room.bookmarked' : 'room.unbookmarked'), back);
    },
    async unreadFrom(said: Said): Promise<void> {
      desk.held.value = true;
      if (await toasts.attempt(() => hongyan.own({ type: 'unread', conversation, seq: said.seq }))) toasts.say(t('room.marked_unread'));
      else desk.held.value = false;
    },
    async hide(seqs: readonly Seq[]): Promise<boolean> {
      const done = await toasts.attempt(() => hongyan.own({ type: 'hide', conversation, seqs }));
      if (done) toasts.undo(t('room.hidden', { n: seqs.length }), () => hongyan.own({ type: 'unhide', conversation, seqs }));
      return done;
    },
    copyText: (said: Said): Promise<boolean> => copy(wordsOf(said.content, name)),
    copyLink: (said: Said): Promise<boolean> => copy(location.href.split('#')[0] + href(conversationRoute(conversation, { seq: said.seq }))),
    copyMany: (all: readonly Said[]): Promise<boolean> =>
      copy(all.map((said) => spoken(said.sender ? name(said.sender) : '', wordsOf(said.content, name))).join('\n')),
    forward(seqs: readonly Seq[]): void {
      desk.opened.value = { kind: 'forward', seqs };
    },
    remind(said: Said): void {
      desk.opened.value = { kind: 'remind', said };
    },
    choose(said: Said): void {
      desk.chosen.value = new Set([said.seq]);
    },
    thread: (said: Said): void => desk.openThread(said.seq),

    /** Everything, in the order of how often it is wanted. */
    menu(said: Said, pick: () => void): MenuEntry[] {
      const threaded = desk.root !== null;
      const some = (holds: boolean, item: MenuItem): MenuItem[] => (holds ? [item] : []);
      const first: MenuEntry[] = [
        ...some(can.reply(said) && !threaded, { label: t('room.reply'), icon: Reply, keys: 'R', act: () => verbs.reply(said) }),
        ...some(can.react(said), { label: t('room.react'), icon: SmilePlus, keys: 'F', act: pick }),
        ...some(!threaded && !gone(said), { label: t('room.thread'), icon: MessageSquareText, keys: 'T', act: () => verbs.thread(said) }),
        ...some(!gone(said) && !embedded, { label: t('room.forward'), icon: Forward, act: () => verbs.forward([said.seq]) }),
        ...some(can.edit(said), { label: t('room.edit'), icon: Pencil, keys: 'E', act: () => verbs.edit(said) }),
      ];
      const copying: MenuItem = { label: t(fileOf(said.content) ? 'room.copy_file' : 'room.copy'), icon: Copy, keys: 'C', act: () => verbs.copyText(said) };
      if (embedded) return gone(said) ? first : [...first, null, copying];
      const second: MenuEntry[] = gone(said)
        ? []
        : [
            copying,
            { label: t('room.copy_link'), icon: Link, act: () => verbs.copyLink(said) },
            ...some(can.pin(said), { label: t(said.amended?.pinned ? 'room.unpin' : 'room.pin'), icon: said.amended?.pinned ? PinOff : Pin, act: () => verbs.pin(said) }),
            { label: t(bookmarked(said) ? 'room.unbookmark' : 'room.bookmark'), icon: bookmarked(said) ? BookmarkX : Bookmark, act: () => verbs.bookmark(said) },
            { label: t('room.remind'), icon: AlarmClock, act: () => verbs.remind(said) },
            ...some(mine(said) && !threaded, { label: t('room.readers'), icon: CheckCheck, act: () => (desk.opened.value = { kind: 'readers', said }) }),
          ];
      const third: MenuEntry[] = threaded
        ? []
        : [
            { label: t('room.unread_here'), icon: MailOpen, act: () => verbs.unreadFrom(said) },
            { label: t('room.choose'), icon: ListChecks, act: () => verbs.choose(said) },
          ];
      const last: MenuEntry[] = [
        { label: t('room.hide'), icon: EyeOff, act: () => verbs.hide([said.seq]) },
        ...some(can.recall(said), { label: t('room.recall'), icon: Undo2, danger: true, act: () => verbs.recall(said) }),
      ];
      return [first, second, third, last].filter((part) => part.length).flatMap((part, at) => (at ? [null, ...part] : part));
    },
  };
  return verbs;
}

export type Verbs = ReturnType<typeof verbsOf>;

const made = new WeakMap<Desk, Verbs>();

/** Made once for all messages of a desk. */
export function useVerbs(): Verbs {
  const desk = useDesk();
  const verbs = made.get(desk) ?? verbsOf(useHongyan(), desk);
  made.set(desk, verbs);
  return verbs;
}
