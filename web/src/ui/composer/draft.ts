// What stands in the composer is kept on the server, a second after the last key, and is there on every device.

import { onBeforeUnmount, watch, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Draft, Page, Seq } from '@/core/model';
import { conversationPath } from '@/link/api';
import { saidOf } from '@/ui/message/said';
import type { Desk } from '@/ui/room/desk';

const WAIT = 1000;

const same = (draft: Draft | undefined, text: string, reply: Seq | undefined): boolean => (draft?.text ?? '') === text && draft?.reply === reply;

/**
 * `aside` is what stood there before an old message was taken up to be edited: then that is the draft. `busy` tells whether
 * somebody is writing here: then what comes from elsewhere waits.
 */
export function useDraft(desk: Desk, text: Ref<string>, aside: Ref<string>, busy: () => boolean): { done(): void } {
  const hongyan = useHongyan();
  const { conversation, root } = desk;
  let timer = 0;

  const kept = (): Draft | undefined => desk.room.value?.own.drafts?.find((draft) => (draft.thread ?? null) === root);
  const reply = (): Seq | undefined => (desk.doing.value?.kind === 'reply' ? desk.doing.value.said.seq : undefined);
  /** What was here when it was last the same as what is kept. */
  let settled = '';

  function save(): void {
    clearTimeout(timer);
    timer = 0;
    const written = desk.doing.value?.kind === 'edit' ? aside.value : text.value;
    const words = written.trim() ? written : '';
    const answer = words ? reply() : undefined;
    settled = words;
    if (same(kept(), words, answer)) return;
    const place = { type: 'draft', conversation, ...(root === null ? {} : { thread: root }) } as const;
    void hongyan.own({ ...place, ...(words ? { text: words } : {}), ...(answer === undefined ? {} : { reply: answer }) });
  }

  async function restore(draft: Draft | undefined): Promise<void> {
    text.value = settled = draft?.text ?? '';
    if (draft?.reply === undefined) return;
    const said = desk.find(draft.reply);
    if (said) desk.doing.value = { kind: 'reply', said };
    else {
      const page = await hongyan.api.get<Page>(conversationPath(conversation, `/messages/${draft.reply}`)).catch(() => null);
      const event = page?.events[0];
      if (event && !desk.doing.value && text.value === draft.text) desk.doing.value = { kind: 'reply', said: saidOf(event, page?.amended?.[0]) };
    }
  }

  watch(
    kept,
    (draft) => {
      if (desk.doing.value?.kind === 'edit' || text.value !== settled || busy()) return;
      if ((draft?.text ?? '') !== text.value) void restore(draft);
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
