// What leaves the composer: a message, the new text of an old one, a message for later, a poll.

import type { Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { PollContent, SentContent, TextContent, Time } from '@/core/model';
import { uuid7 } from '@/link/ids';
import { mentionsIn } from '@/text/mentions';
import { moment } from '@/ui/base/clock';
import { useToasts } from '@/ui/base/toasts';
import type { Desk, Doing } from '@/ui/room/desk';
import { t } from '@/words';

import type { Members } from './people';

export function useSending(desk: Desk, text: Ref<string>, members: Members, cleared: (put: string) => void) {
  const hongyan = useHongyan();
  const toasts = useToasts();
  const { conversation, root } = desk;

  /** Null: there is nothing to say. */
  function content(): TextContent | null {
    const words = text.value.replace(/^\s*\n/, '').trimEnd();
    if (!words.trim()) return null;
    const mentions = mentionsIn(words, members.labels.value);
    const doing = desk.doing.value;
    return {
      type: 'text',
      text: words,
      ...(mentions.length ? { mentions } : {}),
      ...(doing?.kind === 'reply' ? { reply: doing.said.seq } : {}),
      ...(root === null ? {} : { thread: root }),
    };
  }

  async function change({ said }: Doing, now: TextContent): Promise<void> {
    cleared('');
    if (said.content.type === 'text' && said.content.text === now.text) return;
    const { text: words, mentions } = now;
    const done = await toasts.attempt(() => hongyan.act(conversation, { type: 'edit', seq: said.seq, text: words, ...(mentions ? { mentions } : {}) }));
    // What was written is not lost: it stands there again, if nothing else does.
    if (!done && !text.value && !desk.doing.value) {
      desk.doing.value = { kind: 'edit', said };
      text.value = words;
    }
  }

  return {
    /** True when something went out. */
    send(): boolean {
      const said = content();
      if (!said) return false;
      const doing = desk.doing.value;
      if (doing?.kind === 'edit') {
        void change(doing, said);
        return true;
      }
      cleared('');
      hongyan.send(conversation, said);
      return true;
    },
    async later(due: Time): Promise<void> {
      const said: SentContent | null = content();
      if (!said || desk.doing.value?.kind === 'edit') return;
      const asked = { kind: 'send', conversation, content: said, due, client_id: uuid7() };
      if (!(await toasts.attempt(() => hongyan.api.post('v1/me/timers', asked)))) return;
      cleared('');
      toasts.say(t('room.scheduled', { time: moment(due) }));
    },
    poll: (poll: PollContent): void => hongyan.send(conversation, poll),
  };
}
