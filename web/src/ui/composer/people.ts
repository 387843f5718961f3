// Who may be mentioned: the members. Of a large conversation they are asked for when there is an `@`.

import { computed, shallowRef, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Id, Person } from '@/core/model';
import { labelsOf, type Label } from '@/text/mentions';
import { membersOf } from '@/ui/people/people';
import { leads, type Desk } from '@/ui/room/desk';
import { duringLogin } from '@/ui/room/lasting';

/** As they were when there were so many. */
interface Asked {
  readonly count: number;
  readonly people: Promise<readonly Person[]>;
}
const asked = duringLogin(() => new Map<Id, Asked>());

export interface Members {
  readonly people: ComputedRef<readonly Person[]>;
  readonly labels: ComputedRef<readonly Label[]>;
  /** Until they are known, or cannot be asked for. */
  want(): Promise<void>;
}

export function useMembers(desk: Desk): Members {
  const hongyan = useHongyan();
  const { conversation } = desk;
  const many = shallowRef<readonly Person[]>([]);

  const people = computed(() => desk.room.value?.members ?? many.value);
  const labels = computed(() => labelsOf(people.value, { all: desk.room.value?.kind !== 'direct' && leads(desk.room.value), admins: desk.room.value?.kind !== 'direct' }));
  return {
    people,
    labels,
    async want() {
      const room = desk.room.value;
      if (!room || room.members) return;
      const lists = asked(hongyan);
      const count = room.member_count;
      let list = lists.get(conversation);
      if (list?.count !== count) lists.set(conversation, (list = { count, people: membersOf(hongyan.api, conversation, true) }));
      try {
        many.value = await list.people;
      } catch {
        if (lists.get(conversation) === list) lists.delete(conversation);
      }
    },
  };
}
