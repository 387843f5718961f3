// What stands in the composer is kept on the server, a second after the last key, and is there on every device.

import { onBeforeUnmount, watch, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Draft, Page, Seq } from '@/core/model';
import { conversationPath } from '@/link/api';
import { saidOf } from '@/ui/message/said';
import type { Desk, Doing } from '@/ui/room/desk';

const WAIT = 1000;

type Words = Pick<Draft, 'text' | 'reply'>;
const NONE: Words = { text: '' };

const same = (one: Words, other: Words): boolean => one.text === other.text && one.reply === other.reply;

/** What stood there before an old message was taken up to be edited. */
export interface Aside {
  readonly text: string;
  readonly doing: Doing | null;
}

export function useDraft(desk: Desk, text: Ref<string>, aside: Ref<Aside>): { done(): void } {
  const hongyan = useHongyan();
  const { conversation, root } = desk;
  const who = hongyan.session.value?.user;
  let timer = 0;
  /** What was here when it was last the same as what is kept. */
  let settled = NONE;
  /** What is answered, while it is asked for. */
  let answered: Seq | undefined;

  const kept = (): Draft | undefined => desk.room.value?.own.drafts?.find((draft) => (draft.thread ?? null) === root);
  const editing = (): boolean => desk.doing.value?.kind === 'edit';

  /** The new text of an old message is no draft: what stood there before is. */
  function written(): Words {
    const { text: words, doing } = editing() ? aside.value : { text: text.value, doing: desk.doing.value };
    const reply = doing?.kind === 'reply' ? doing.said.seq : answered;
    return words.trim() ? { text: words, ...(reply === undefined ? {} : { reply }) } : NONE;
  }

  /** Only what has changed here: what came from elsewhere meanwhile is not undone by the way. */
  function save(): void {
    clearTimeout(timer);
    timer = 0;
    const now = written();
    if (same(now, settled) || hongyan.session.value?.user !== who) return;
    settled = now;
    if (same(now, kept() ?? NONE)) return;
    const place = { type: 'draft', conversation, ...(root === null ? {} : { thread: root }) } as const;
    void hongyan.own({ ...place, ...(now.text ? now : {}) });
  }

  async function restore({ text: words, reply }: Words): Promise<void> {
    text.value = words;
    settled = reply === undefined ? { text: words } : { text: words, reply };
    if (reply === undefined) return;
    answered = reply;
    const said = desk.find(reply) ?? (await asked(reply));
    if (answered === reply) answered = undefined;
    if (said && !desk.doing.value && text.value === words) desk.doing.value = { kind: 'reply', said };
  }

  async function asked(seq: Seq) {
    const page = await hongyan.api.get<Page>(conversationPath(conversation, `/messages/${seq}`)).catch(() => null);
    const event = page?.events[0];
    return event && saidOf(event, page?.amended?.[0]);
  }

  watch(
    kept,
    (draft = { ...NONE, time: 0 }) => {
      if (!editing() && text.value === settled.text && draft.text !== text.value) void restore(draft);
    },
    { immediate: true },
  );
  watch([text, desk.doing], () => {
    clearTimeout(timer);
    timer = window.setTimeout(save, WAIT);
  });
  const leave = (): void => {
    if (timer) save();
  };
  window.addEventListener('pagehide', leave);
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', leave);
    leave();
  });

  /** It was sent: there is no draft any more. */
  return { done: save };
}
