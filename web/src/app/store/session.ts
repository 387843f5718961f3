// Who is logged in, in all tabs of this browser.

import type { Session } from '@/app/hongyan';

const KEY = 'hongyan.session';

function parsed(text: string | null): Session | null {
  try {
    const kept = JSON.parse(text ?? 'null') as Session | null;
    return typeof kept?.token === 'string' && typeof kept.user === 'string' ? kept : null;
  } catch {
    return null;
  }
}

export const readSession = (): Session | null => parsed(localStorage.getItem(KEY));

export function keepSession(session: Session | null): void {
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
}

/** Another tab logged in or out. */
export function onSessionElsewhere(tell: (session: Session | null) => void, signal: AbortSignal): void {
  const hear = ({ key, newValue }: StorageEvent): void => {
    if (key === KEY || key === null) tell(key === null ? null : parsed(newValue));
  };
  window.addEventListener('storage', hear, { signal });
}

/** A label for this browser among one's devices. */
export function deviceName({ userAgent } = navigator): string {
  const named = (pairs: readonly (readonly [RegExp, string])[], otherwise: string): string =>
    pairs.find(([pattern]) => pattern.test(userAgent))?.[1] ?? otherwise;
  const browser = named([[/Edg\//, 'Edge'], [/Firefox\//, 'Firefox'], [/Chrome\//, 'Chrome'], [/Safari\//, 'Safari']], 'Browser');
  const system = named([[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS/, 'macOS'], [/Linux/, 'Linux']], '');
  return system ? `${browser} · ${system}` : browser;
}
