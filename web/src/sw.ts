// Stands between the client and the network: it opens without a server, and messages are told of while no page is open.
// One file of a fixed name, which imports nothing. What is under /v1 never passes through here.

export {};

declare const self: ServiceWorkerGlobalScope;
/** Every file of this build; another build is another worker. Put in when it is built. */
declare const __FILES__: readonly string[];
declare const __BUILD__: string;

/** Not every browser has it. */
interface InstallEvent extends ExtendableEvent {
  addRoutes?(rules: readonly object[]): Promise<void>;
}

/** What the server sends, see docs/protocol.md. */
interface Told {
  readonly title: string;
  readonly text: string;
  readonly conversation: string;
  readonly seq: number;
  readonly thread?: number;
}

const FAMILY = 'hongyan-files-';
const CACHE = FAMILY + __BUILD__;
const PAGE = '/';
const PATIENCE = 4_000; // a network that lets a page hang so long is none

self.addEventListener('install', (event) => {
  route(event);
  event.waitUntil(install());
});
self.addEventListener('activate', (event) => event.waitUntil(activate()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname === PAGE && request.mode === 'navigate') event.respondWith(page(event));
  else if (url.pathname.startsWith('/assets/') || __FILES__.includes(url.pathname)) event.respondWith(file(event));
});

self.addEventListener('push', (event) => {
  const told = read(event.data);
  if (told) event.waitUntil(tell(told));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show((event.notification.data as { path?: string } | null)?.path ?? '#/'));
});

// The browser has changed the subscription. Only a page has the token to tell the server: an open one now, else the next.
self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(windows().then(([one]) => one?.postMessage({ type: 'subscription' })));
});

/** So that a page need not wait until its worker has come to life: files from where they are kept, itself from who is faster. */
function route(event: InstallEvent): void {
  const files = { condition: { urlPattern: '/assets/*' }, source: 'cache' };
  const pages = { condition: { urlPattern: PAGE, requestMode: 'navigate' }, source: 'race-network-and-fetch-handler' };
  event.addRoutes?.([files, pages]).catch(() => {}); // a browser with other words for it
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([new Request(PAGE, { cache: 'no-cache' }), ...__FILES__]);
}

async function activate(): Promise<void> {
  await self.registration.navigationPreload?.enable(); // the page is asked for while the worker is still coming to life
  const old = (await caches.keys()).filter((name) => name.startsWith(FAMILY) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The newest there is; the one before when no server answers, or one that is not well. */
async function page(event: FetchEvent): Promise<Response> {
  const loading = load(event);
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  const fresh = await Promise.race([loading.catch(() => null), late]);
  if (fresh?.ok) return fresh;
  return (await kept(PAGE)) ?? fresh ?? loading;
}

async function load(event: FetchEvent): Promise<Response> {
  const response = ((await event.preloadResponse) as Response | undefined) ?? (await fetch(event.request));
  if (response.ok) event.waitUntil(renew(response.clone()));
  return response;
}

/** Files of an asset's name never change. Those of a newer build are in its own cache while it waits: all are looked into. */
async function file(event: FetchEvent): Promise<Response> {
  const before = await kept(event.request);
  if (before) return before;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(keep(event.request, response.clone()));
  return response;
}

// A browser without room, or that refuses, does not keep what the network gives from the page; nor does the page wait for it.

const kept = (what: RequestInfo): Promise<Response | undefined> => caches.match(what).catch(() => undefined);

/** Most often it is the page that is kept already. */
async function renew(response: Response): Promise<void> {
  const [tag, before] = [response.headers.get('ETag'), await kept(PAGE)];
  if (tag === null || tag !== before?.headers.get('ETag')) await keep(PAGE, response);
}

async function keep(what: RequestInfo, response: Response): Promise<void> {
  try {
    await (await caches.open(CACHE)).put(what, response);
  } catch (error) {
    console.warn('Not kept:', error);
  }
}

function read(data: PushMessageData | null): Told | null {
  try {
    const told = data?.json() as Partial<Told> | undefined;
    return typeof told?.conversation === 'string' && typeof told.title === 'string' ? ({ text: '', seq: 0, ...told } as Told) : null;
  } catch {
    return null;
  }
}

const windows = (): Promise<readonly WindowClient[]> =>
  self.clients.matchAll({ type: 'window', includeUncontrolled: true }).then((all) => all.filter(({ url }) => new URL(url).pathname === PAGE));

/** Who looks at the client sees it there. */
async function tell({ title, text, conversation, seq, thread }: Told): Promise<void> {
  if ((await windows()).some(({ focused }) => focused)) return;
  const place = thread ? `thread/${thread}` : String(seq);
  await self.registration.showNotification(title, {
    body: text,
    tag: conversation,
    icon: '/icon-192.png',
    data: { path: `#/c/${encodeURIComponent(conversation)}/${place}` },
  });
}

/** In a window that is there; it goes by itself, because a navigation would load it anew. */
async function show(path: string): Promise<void> {
  const all = await windows();
  const there = all.find(({ visibilityState }) => visibilityState === 'visible') ?? all[0];
  if (!there) return void (await self.clients.openWindow(PAGE + path));
  there.postMessage({ type: 'go', path });
  await there.focus();
}
