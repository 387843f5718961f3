// Messages that others quote: from what is loaded, otherwise asked for once.

import { computed, shallowRef, watchEffect, type ComputedRef } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { target } from '@/core/amend';
import type { Page, Seq } from '@/core/model';
import { conversationPath, Problem } from '@/link/api';
import { useDesk } from '@/ui/room/desk';
import { duringLogin } from '@/ui/room/lasting';

import { newest, saidOf, type Said } from './said';

interface Asked {
  /** The newest event that had changed it. */
  readonly changed: Seq;
  readonly said: Promise<Said | null | undefined>;
}
const asked = duringLogin(() => new Map<string, Asked>());
const KEPT = 300;

/** Undefined while it is asked for, null when one may not read it. */
export function useQuote(seq: () => Seq | undefined): ComputedRef<Said | null | undefined> {
  const hongyan = useHongyan();
  const desk = useDesk();
  const answer = shallowRef<Said | null | undefined>();
  let last: Asked | null = null;

  const loaded = computed(() => {
    const place = seq();
    return place === undefined ? null : desk.find(place);
  });

  /** What the room holds tells when it was edited or taken back since. */
  const changed = computed(() => newest(desk.room.value, (event) => (event.type === 'edit' || event.type === 'recall') && target(event) === seq()));

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
          if (error instanceof Problem && !error.passing) return null;
          all.delete(path); // asked again when it is drawn again
          return undefined;
        },
      );
      if (all.size >= KEPT) all.clear();
      all.set(path, (found = { changed: changed.value, said }));
    }
    const { said } = (last = found);
    void said.then((now) => {
      if (last?.said === said && now !== undefined) answer.value = now;
    });
  });

  return computed(() => loaded.value ?? answer.value);
}
