// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createApp, nextTick, shallowRef, type App } from 'vue';

import { hongyanKey, type Hongyan } from '@/app/hongyan';
import { choose } from '@/app/settings';
import type { SharedFile } from '@/core/file';
import FileBox from '@/ui/files/FileBox.vue';
import { bytes } from '@/ui/settings/files';
import { words } from '@/words';

const OURS: SharedFile = { href: 'https://chat.test/files/abc/a%20b.png', name: 'a b.png', host: null, id: 'abc', picture: true };
const THEIRS: SharedFile = { href: 'https://else.test/u/a.png', name: 'a.png', host: 'else.test', id: null, picture: false };

let hongyan: Pick<Hongyan, 'session'>;
const apps: App[] = [];

function shown(file: SharedFile): HTMLElement {
  const root = document.body.appendChild(document.createElement('div'));
  const app = createApp(FileBox, { file }).provide(hongyanKey, hongyan as Hongyan);
  app.mount(root);
  apps.push(app);
  return root;
}

async function breaks(root: HTMLElement): Promise<void> {
  root.querySelector('img')!.dispatchEvent(new Event('error'));
  await new Promise((resolve) => setTimeout(resolve));
  await nextTick();
}

beforeEach(async () => {
  hongyan = { session: shallowRef({ user: 'lin', name: '林', token: 't', token_id: 'i', device: 'd' }) };
  choose('language', 'zh');
  await words();
});
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount();
  vi.unstubAllGlobals();
});

test('a picture of this server is shown when it comes into sight, and leads to itself', () => {
  const root = shown(OURS);
  const [link, picture] = [root.querySelector('a')!, root.querySelector('img')!];
  expect([picture.getAttribute('src'), picture.alt, picture.getAttribute('loading')]).toEqual([OURS.href, 'a b.png', 'lazy']);
  expect(['href', 'target', 'rel', 'referrerpolicy'].map((name) => link.getAttribute(name))).toEqual([OURS.href, '_blank', 'noopener noreferrer', 'no-referrer']);
});

test('of another place nothing is loaded', () => {
  const root = shown(THEIRS);
  expect(root.querySelector('img')).toBeNull();
  expect(root.textContent).toContain('else.test');
  expect(root.querySelector('a')!.getAttribute('rel')).toBe('noopener noreferrer');
});

test('a picture that was removed says so, wherever it stands, and leads nowhere', async () => {
  const asked = vi.fn(async (_: string, __: RequestInit) => new Response(null, { status: 404 }));
  vi.stubGlobal('fetch', asked);
  const [root, another] = [shown(OURS), shown(OURS)];
  await breaks(root);
  expect(asked.mock.calls.map(([href, { method }]) => [href, method])).toEqual([[OURS.href, 'HEAD']]);
  for (const one of [root, another]) expect([one.querySelector('.heard')?.textContent, one.querySelector('.secondary')?.textContent, one.querySelector('img, a')]).toEqual(['a b.png', '文件已不存在', null]);
  hongyan = { session: shallowRef({ ...hongyan.session.value!, token_id: 'j' }) };
  expect(shown(OURS).querySelector('img')).not.toBeNull();
});

test.each([
  ['the server does not answer', () => Promise.reject(new TypeError('no network'))],
  ['it is no picture', async () => new Response(null, { status: 200 })],
  ['the server is not well', async () => new Response(null, { status: 503 })],
])('a picture that cannot be shown because %s is a card', async (_, answer) => {
  vi.stubGlobal('fetch', answer);
  const root = shown(OURS);
  await breaks(root);
  expect([root.querySelector('a')?.getAttribute('href'), root.querySelector('.secondary')]).toEqual([OURS.href, null]);
});

test('sizes are written in powers of two', () => {
  const sizes = [0, 1023, 1024, 1536, 1_048_524, 104_857_600, 5_368_709_120, 1.5 * 1024 ** 4].map(bytes);
  expect(sizes).toEqual(['0 B', '1,023 B', '1 KiB', '1.5 KiB', '1 MiB', '100 MiB', '5 GiB', '1.5 TiB']);
});
