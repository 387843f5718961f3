// Messages told of while no page is open: the browser's push service brings them to the worker. For this log-in, in this browser.

import { watch } from 'vue';

import { type Api, Problem } from '@/link/api';

import type { Hongyan, Session } from './hongyan';
import { closeNotes, hasWorker, onWorker, worker } from './worker';

const KEY = 'hongyan.push';

/** Why there is none: the browser cannot, was told not to, does not get through to its service; or the server does not offer it. */
export type Hindrance = 'insecure' | 'impossible' | 'denied' | 'failed' | 'unserved';

interface Kept {
  readonly token_id: string;
  readonly endpoint: string;
}

function kept(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
}

export function hindrance(): Hindrance | null {
  if (!isSecureContext) return 'insecure';
  if (!hasWorker || !('PushManager' in globalThis) || !('Notification' in globalThis)) return 'impossible';
  return Notification.permission === 'denied' ? 'denied' : null;
}

/** Whether this log-in is told. */
export const pushed = (session: Session | null): boolean => session !== null && kept()?.token_id === session.token_id && hindrance() === null;

/** From a click. Null: it is on. Throws Problem and Unreachable. */
export async function beginPush(api: Api, session: Session): Promise<Hindrance | null> {
  const before = hindrance();
  if (before) return before;
  const allowed = await Notification.requestPermission();
  if (allowed !== 'granted') return 'denied';
  return subscribe(api, session);
}

export async function endPush(api: Api): Promise<void> {
  await api.remove('v1/me/push'); // if that fails nothing has changed
  await forget();
}

/** From now on: renewed when the browser has changed it, gone with the log-in. */
export function pushing({ api, session }: Pick<Hongyan, 'api' | 'session'>): () => void {
  const turned = (now: Session | null): Promise<unknown> => (now ? renew(api, now) : Promise.all([forget(), closeNotes()]));
  // Without the network it is for the next time.
  onWorker('subscription', () => session.value && renew(api, session.value).catch(() => {}));
  return watch(session, (now) => void turned(now).catch(() => {}), { immediate: true });
}

async function renew(api: Api, session: Session): Promise<void> {
  const before = kept();
  if (!before) return;
  if (before.token_id !== session.token_id) return forget(); // of another log-in
  if (hindrance() || Notification.permission !== 'granted') return;
  const now = await (await worker())?.pushManager.getSubscription();
  if (now?.endpoint !== before.endpoint) await subscribe(api, session);
}

async function subscribe(api: Api, session: Session): Promise<Hindrance | null> {
  let key: string;
  try {
    ({ key } = await api.get<{ key: string }>('v1/me/push'));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return 'unserved';
    throw error;
  }
  const manager = (await worker())?.pushManager;
  if (!manager) return 'impossible';
  let subscription: PushSubscription;
  try {
    await (await manager.getSubscription())?.unsubscribe(); // it may be of another key
    subscription = await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    return 'failed';
  }
  const { endpoint, keys } = subscription.toJSON();
  await api.post('v1/me/push', { endpoint, keys });
  localStorage.setItem(KEY, JSON.stringify({ token_id: session.token_id, endpoint: subscription.endpoint } satisfies Kept));
  return null;
}

/** What cannot be ended now is remembered, and ended by who logs in next. */
async function forget(): Promise<void> {
  const before = kept();
  if (!before) return;
  const subscription = await (await worker())?.pushManager.getSubscription();
  if (subscription?.endpoint === before.endpoint) await subscription.unsubscribe();
  if (kept()?.endpoint === before.endpoint) localStorage.removeItem(KEY);
}
