// Messages that others quote: from what is loaded, otherwise asked for once.

import { computed, shallowRef, watchEffect, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import type { Page, Seq } from '@/core/model';
import { conversationPath, Problem } from '@/link/api';
import { useDesk } from '@/ui/room/desk';

import { saidOf, type Said } from './said';

const asked = new Map<string, Promise<Said | null>>();
const KEPT = 300;

/** Undefined while it is asked for, null when one may not read it. */
export function useQuote(seq: () => Seq | undefined): ComputedRef<Said | null | undefined> {
  const hongyan = useHongyan();
  const desk = useDesk();
  const answer = shallowRef<Said | null | undefined>();

  const loaded = computed(() => {
    const place = seq();
    return place === undefined ? null : desk.find(place);
  });

  watchEffect(() => {
    const place = seq();
    if (place === undefined || loaded.value) return;
    const path = conversationPath(desk.conversation, `/messages/${place}`);
    let answered = asked.get(path);
    if (!answered) {
      answered = hongyan.api.get<Page>(path).then(
        (page) => (page.events[0] ? saidOf(page.events[0], page.amended?.[0]) : null),
        (error: unknown) => {
          if (!(error instanceof Problem) || error.passing) asked.delete(path);
          return null;
        },
      );
      if (asked.size >= KEPT) asked.clear();
      asked.set(path, answered);
    }
    void answered.then((said) => {
      if (seq() === place) answer.value = said;
    });
  });

  return computed(() => loaded.value ?? answer.value);
}
