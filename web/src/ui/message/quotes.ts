// Messages that others quote: from what is loaded, otherwise asked for once.

import { computed, shallowRef, watchEffect, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { target } from '@/core/amend';
import type { Event, Page, Seq } from '@/core/model';
import { conversationPath, Problem } from '@/link/api';
import { useDesk } from '@/ui/room/desk';
import { duringLogin } from '@/ui/room/lasting';

import { saidOf, type Said } from './said';

interface Asked {
  /** The newest event that had changed it. */
  readonly changed: Seq;
  readonly said: Promise<Said | null>;
}
const asked = duringLogin(() => new Map<string, Asked>());
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

  /** What the room holds tells when it was edited or taken back since. */
  const changed = computed(() => {
    const { events = [], ahead = [] } = desk.room.value ?? {};
    const isChange = (event: Event): boolean => (event.type === 'edit' || event.type === 'recall') && target(event) === seq();
    return (ahead.findLast(isChange) ?? events.findLast(isChange))?.seq ?? 0;
  });

  watchEffect(() => {
    const place = seq();
    if (place === undefined || loaded.value) return;
    const all = asked(hongyan);
    const path = conversationPath(desk.conversation, `/messages/${place}`);
    let found = all.get(path);
    if (!found || found.changed < changed.value) {
      const said = hongyan.api.get<Page>(path).then(
        (page) => (page.events[0] ? saidOf(page.events[0], page.amended?.[0]) : null),
        (error: unknown) => {
          if (!(error instanceof Problem) || error.passing) all.delete(path);
          return null;
        },
      );
      if (all.size >= KEPT) all.clear();
      all.set(path, (found = { changed: changed.value, said }));
    }
    const { said } = found;
    void said.then((now) => {
      if (seq() === place && all.get(path)?.said === said) answer.value = now;
    });
  });

  return computed(() => loaded.value ?? answer.value);
}
