// The keys that work everywhere.

import { onBeforeUnmount, onMounted } from 'vue';

import { useHongyan } from '@/app/hongyan';
import { back, go, open, route } from '@/app/router';
import { composing } from '@/ui/base/composing';
import { floating } from '@/ui/base/layers';
import { details } from '@/ui/details/open';
import { finding, showingKeys } from '@/ui/goto/open';
import { nextUnread } from '@/ui/list/rows';

import { places } from './places';

const writing = (target: EventTarget | null): target is HTMLElement =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type="radio"]), textarea, select'));

export function useKeys(phone: Readonly<{ value: boolean }>): void {
  const { known } = useHongyan();

  function unread(step: 1 | -1): boolean {
    const now = route.value.page === 'conversation' ? route.value.conversation : null;
    const next = nextUnread(known.value, now, step);
    if (next) open(next);
    return true;
  }

  function place(key: string): boolean {
    const found = places[Number(key) - 1];
    if (found) go(found.route);
    return Boolean(found);
  }

  function leave(target: EventTarget | null): boolean {
    const { page } = route.value;
    const drawer = details.value && page === 'conversation';
    if (!drawer && (phone.value ? page === 'home' : page === 'home' || page === 'conversation')) return false;
    if (writing(target)) target.blur(); // what was typed is not lost at once
    else if (drawer) details.value = false;
    else back();
    return true;
  }

  function done(event: KeyboardEvent): boolean {
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.altKey && event.key.toLowerCase() === 'k' && !event.shiftKey) return (finding.value = !finding.value), true;
    if (floating()) return false;
    if (command && !event.altKey && event.key === ',') return go({ page: 'settings' }), true;
    if (event.altKey && !command && event.key === 'ArrowDown') return unread(1);
    if (event.altKey && !command && event.key === 'ArrowUp') return unread(-1);
    if (event.altKey && !command && event.code.startsWith('Digit')) return place(event.code.slice(-1));
    if (event.key === 'Escape') return leave(event.target);
    if (writing(event.target) || command || event.altKey) return false;
    if (event.key === '?') return (showingKeys.value = true);
    if (event.key === '/') return go({ page: 'search', q: '' }), true;
    return false;
  }

  function onKey(event: KeyboardEvent): void {
    if (!event.defaultPrevented && !composing(event) && done(event)) event.preventDefault();
  }
  onMounted(() => window.addEventListener('keydown', onKey));
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey));
}
