// The worker beside the page (sw.ts): without a secure context there is none, and nothing depends on it.

import { go, routeOf } from './router';

export const hasWorker = globalThis.isSecureContext && 'serviceWorker' in navigator && import.meta.env.PROD;

const PATIENCE = 10_000;
const AFTER = 3_000; // it loads everything, and asks whether there is a newer one: what is looked at comes first
let asked: Promise<unknown> | null = null;

const register = (): Promise<unknown> =>
  (asked ??= navigator.serviceWorker.register('/sw.js').catch((error: unknown) => console.warn('No service worker:', error)));

/** Null: there is none, or it does not come to life. */
export async function worker(): Promise<ServiceWorkerRegistration | null> {
  if (!hasWorker || !(await register())) return null;
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

export function beginWorker(): void {
  if (!hasWorker) return;
  setTimeout(register, AFTER);
  onWorker('go', ({ path }) => typeof path === 'string' && go(routeOf(path)));
}

/** What the worker says to this page. */
export function onWorker(type: string, hear: (data: { readonly path?: unknown }) => unknown): void {
  if (!hasWorker) return;
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ type?: unknown; path?: unknown } | null>) => {
    if (data?.type === type) hear(data);
  });
}

/** Notes that stand on the desktop, of one conversation or of all. */
export async function closeNotes(conversation?: string): Promise<void> {
  const shown = await (await worker())?.getNotifications(conversation === undefined ? {} : { tag: conversation });
  for (const note of shown ?? []) note.close();
}
