// Who may be mentioned: the members. Of a large conversation they are asked for when there is an `@`.

import { computed, shallowRef, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Person } from '@/core/model';
import { labelsOf, type Label } from '@/text/mentions';
import { allMembers } from '@/ui/people/people';
import { leads, type Desk } from '@/ui/room/desk';

export interface Members {
  readonly people: ComputedRef<readonly Person[]>;
  readonly labels: ComputedRef<readonly Label[]>;
  /** Until they are known, or cannot be asked for. */
  want(): Promise<void>;
}

export function useMembers(desk: Desk): Members {
  const hongyan = useHongyan();
  const many = shallowRef<readonly Person[]>([]);

  const people = computed(() => desk.room.value?.members ?? many.value);
  const labels = computed(() => labelsOf(people.value, { all: desk.room.value?.kind !== 'direct' && leads(desk.room.value), admins: desk.room.value?.kind !== 'direct' }));
  return {
    people,
    labels,
    async want() {
      const room = desk.room.value;
      if (!room || room.members) return;
      many.value = await allMembers(hongyan, room).catch(() => many.value);
    },
  };
}
