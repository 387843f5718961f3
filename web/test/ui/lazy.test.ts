// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest';
import { createApp, type App } from 'vue';

import { choose } from '@/app/settings';
import { lazy } from '@/ui/base/lazy';
import { t, words } from '@/words';

let app: App | undefined;
afterEach(() => app?.unmount());

test('what is loaded when it is first shown has its words at once', async () => {
  choose('language', 'en');
  await words();
  const said: string[] = [];
  const Page = lazy(async () => ({ default: { setup: () => () => said[said.push(t('settings.theme')) - 1] } }));
  app = createApp(Page);
  app.mount(document.createElement('div'));
  await vi.waitUntil(() => said.length > 0);
  expect(said).toEqual(['Theme']);
});
