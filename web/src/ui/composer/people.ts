// Who may be mentioned: the members. Of a large conversation they are asked for when somebody first types `@`.

import { computed, shallowRef, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Id, Person } from '@/core/model';
import { conversationPath } from '@/link/api';
import { labelsOf, type Label } from '@/text/mentions';
import { leads, type Desk } from '@/ui/room/desk';

const PAGES = 50;
const asked = new Map<Id, Promise<readonly Person[]>>();

export interface Members {
  readonly people: ComputedRef<readonly Person[]>;
  readonly labels: ComputedRef<readonly Label[]>;
  want(): void;
}

export function useMembers(desk: Desk): Members {
  const hongyan = useHongyan();
  const { conversation } = desk;
  const many = shallowRef<readonly Person[]>([]);

  async function all(): Promise<readonly Person[]> {
    let people: readonly Person[] = [];
    for (let page = 0, more = true; more && page < PAGES; page += 1) {
      const after = people.at(-1)?.id ?? '';
      const answer = await hongyan.api.get<{ members: readonly Person[]; more: boolean }>(
        conversationPath(conversation, `/members?${new URLSearchParams({ limit: '200', ...(after ? { after } : {}) })}`),
      );
      people = [...people, ...answer.members];
      more = answer.more && answer.members.length > 0;
    }
    return people;
  }

  const people = computed(() => desk.room.value?.members ?? many.value);
  const labels = computed(() => labelsOf(people.value, { all: desk.room.value?.kind !== 'direct' && leads(desk.room.value), admins: desk.room.value?.kind !== 'direct' }));
  return {
    people,
    labels,
    want() {
      if (!desk.room.value || desk.room.value.members || many.value.length) return;
      const answer = asked.get(conversation) ?? all();
      asked.set(conversation, answer);
      answer.then(
        (found) => (many.value = found),
        () => asked.delete(conversation),
      );
    },
  };
}
