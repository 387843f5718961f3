// What leaves the composer: a message, the new text of an old one, a message for later, a poll. What is refused comes back.

import { onBeforeUnmount, type Ref } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { PollContent, TextContent, Time } from '@/core/model';
import { uuid7 } from '@/link/ids';
import { mentionsIn } from '@/text/mentions';
import { moment } from '@/ui/base/clock';
import { useToasts, wrong } from '@/ui/base/toasts';
import type { Desk, Doing } from '@/ui/room/desk';
import { t } from '@/words';

import type { Members } from './people';
import type { Unfinished } from './unfinished';

/** A list of members that does not come is not waited for any longer. */
const PATIENCE = 5000;

export function useSending(desk: Desk, text: Ref<string>, members: Members, unfinished: Unfinished, cleared: () => void) {
  const hongyan = useHongyan();
  const toasts = useToasts();
  const { conversation, root } = desk;
  const who = hongyan.session.value?.user;
  let here = true;
  let asking = false;
  onBeforeUnmount(() => (here = false));

  /** What stands there, when it is known whom it names. Null: there is nothing to say, or it is just being said. */
  async function content(): Promise<TextContent | null> {
    if (asking) return null;
    if (text.value.includes('@')) {
      asking = true;
      await Promise.race([members.want(), new Promise((done) => setTimeout(done, PATIENCE))]);
      asking = false;
      if (hongyan.session.value?.user !== who) return null;
    }
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

  /** Nothing written is lost: it stands there again where nothing else does; otherwise it can be copied. */
  function refused(error: unknown, doing: Doing | null, words: string): void {
    if (!here || text.value || desk.doing.value) {
      if (doing?.kind === 'edit') unfinished.keep(doing, words);
      return toasts.offer(wrong(error), t('room.copy_written'), () => void toasts.attempt(() => navigator.clipboard.writeText(words)));
    }
    toasts.fail(error);
    if (doing?.kind === 'edit') desk.doing.value = { ...doing, text: words };
    else {
      desk.doing.value = doing;
      text.value = words;
    }
  }

  async function change(doing: Doing, { text: words, mentions }: TextContent): Promise<void> {
    const { said } = doing;
    cleared();
    if (said.content.type === 'text' && said.content.text === words) return;
    try {
      await hongyan.act(conversation, { type: 'edit', seq: said.seq, text: words, ...(mentions ? { mentions } : {}) });
    } catch (error) {
      refused(error, doing, words);
    }
  }

  return {
    /** True when a message went out. */
    async send(): Promise<boolean> {
      const said = await content();
      if (!said) return false;
      const doing = desk.doing.value;
      if (doing?.kind === 'edit') {
        void change(doing, said);
        return false;
      }
      cleared();
      hongyan.send(conversation, said);
      return true;
    },
    async later(due: Time): Promise<void> {
      const said = await content();
      const doing = desk.doing.value;
      if (!said || doing?.kind === 'edit') return;
      cleared();
      try {
        await hongyan.api.post('v1/me/timers', { kind: 'send', conversation, content: said, due, client_id: uuid7() });
        toasts.say(t('room.scheduled', { time: moment(due) }));
      } catch (error) {
        refused(error, doing, said.text);
      }
    },
    poll: (poll: PollContent): void => hongyan.send(conversation, poll),
  };
}
