// What stands between the log-in and the conversations. Kept, so that a reload does not get around it.

import { shallowRef } from 'vue';

export type Step = 'log-in' | 'password' | 'welcome';

const key = 'hongyan.step';
const welcomed = 'hongyan.welcomed';

const kept = localStorage.getItem(key);

/** `log-in` while the request is under way: the page stays until it is known what comes next. */
export const step = shallowRef<Step | null>(kept === 'password' || kept === 'welcome' ? kept : null);

export function goTo(next: Step | null): void {
  step.value = next;
  if (next && next !== 'log-in') localStorage.setItem(key, next);
  else localStorage.removeItem(key);
}

const greeted = (): string[] => (localStorage.getItem(welcomed) ?? '').split(' ');

/** A person is welcomed once in a browser. */
export function welcomeOnce(user: string): void {
  if (greeted().includes(user)) return goTo(null);
  localStorage.setItem(welcomed, [...greeted(), user].join(' ').trim());
  goTo('welcome');
}
