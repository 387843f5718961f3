// What is kept as long as a log-in lasts: the next one begins without it.

import type { Hongyan } from '@/app/hongyan';

export function duringLogin<T>(make: () => T): (hongyan: Pick<Hongyan, 'session'>) => T {
  const all = new WeakMap<object, T>();
  const nobody = {};
  return ({ session }) => {
    const who = session.value ?? nobody;
    const found = all.get(who) ?? make();
    all.set(who, found);
    return found;
  };
}
