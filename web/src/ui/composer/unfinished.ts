// Old messages that were being edited when something else came up: what they were to say is there when one comes back.

import { useHongyan } from '@/app/hongyan';
import type { Said } from '@/ui/message/said';
import type { Desk, Doing } from '@/ui/room/desk';
import { duringLogin } from '@/ui/room/lasting';

export type Edit = Extract<Doing, { kind: 'edit' }>;

const all = duringLogin(() => new Map<string, Edit>());

export function useUnfinished({ conversation, root }: Desk) {
  const kept = all(useHongyan());
  const place = `${conversation} ${root ?? ''} `;
  return {
    keep({ said }: Edit, text: string): void {
      const same = said.content.type === 'text' && said.content.text === text;
      if (text.trim() && !same) kept.set(place + said.seq, { kind: 'edit', said, text });
    },
    take({ seq }: Said): string | undefined {
      const found = kept.get(place + seq)?.text;
      kept.delete(place + seq);
      return found;
    },
    /** The one that was left last, of those here. */
    last: (): Edit | undefined => [...kept].findLast(([key]) => key.startsWith(place))?.[1],
  };
}

export type Unfinished = ReturnType<typeof useUnfinished>;
