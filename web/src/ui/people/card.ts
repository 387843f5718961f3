// The card of a person, from any avatar or name: `showPerson(id, event)`.

import { shallowRef } from 'vue';

import { embedded } from '@/app/embedded';
import type { Id } from '@/core/model';
import type { Anchor } from '@/ui/base/place';

export const card = shallowRef<{ readonly user: Id; readonly anchor: Anchor } | null>(null);

export function showPerson(user: Id, at: Anchor | MouseEvent): void {
  if (embedded) return;
  const anchor = at instanceof MouseEvent ? ((at.currentTarget ?? at.target) as Element) : at;
  card.value = card.value?.anchor === anchor ? null : { user, anchor };
}
