// The worker beside the page (sw.ts): without a secure context there is none, and nothing depends on it.

import { go, routeOf } from './router';

export const hasWorker = isSecureContext && 'serviceWorker' in navigator && import.meta.env.PROD;

/** Null: there is none, or it cannot be had. */
export async function worker(): Promise<ServiceWorkerRegistration | null> {
  return hasWorker ? navigator.serviceWorker.ready : null;
}

export function beginWorker(): void {
  if (!hasWorker) return;
  navigator.serviceWorker.register('/sw.js').catch((error: unknown) => console.warn('No service worker:', error));
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ type?: unknown; path?: unknown } | null>) => {
    if (data?.type === 'go' && typeof data.path === 'string') go(routeOf(data.path));
  });
}
