// Names of people who did something with a message, asked for when somebody wants to know.

import { useHongyan } from '@/app/hongyan';
import type { Person, Seq } from '@/core/model';
import { conversationPath } from '@/link/api';
import { useDesk, type Desk } from '@/ui/room/desk';
import { t } from '@/words';

/** As the server gives it: a page of people, and how many there are altogether. */
export interface Somebody {
  readonly users: readonly Person[];
  readonly count: number;
  readonly more: boolean;
}

export function useWho(desk: Pick<Desk, 'conversation'> = useDesk()) {
  const hongyan = useHongyan();
  const { conversation } = desk;
  const ask = (seq: Seq, rest: string, query: Readonly<Record<string, string>>): Promise<Somebody> =>
    hongyan.api.get<Somebody>(conversationPath(conversation, `/messages/${seq}/${rest}?${new URLSearchParams(query)}`));

  return {
    responded: (seq: Seq, kind: 'react' | 'vote', value: string, after = '', limit = 50): Promise<Somebody> =>
      ask(seq, 'responses', { kind, value, limit: String(limit), ...(after ? { after } : {}) }),
    read: (seq: Seq, have: boolean, after = '', limit = 50): Promise<Somebody> =>
      ask(seq, 'readers', { have: String(have), limit: String(limit), ...(after ? { after } : {}) }),
    /** 李华、王芳等 12 人 */
    inWords({ users, count }: Somebody): string {
      const me = hongyan.known.value.me?.id;
      const names = users.map(({ id, name }) => (id === me ? t('room.you') : name)).join(t('room.comma'));
      return count > users.length ? t('room.and_others', { names, n: count }) : names;
    },
  };
}
