// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest';
import { nextTick } from 'vue';

import { choose, dress, settings } from '@/app/settings';

import { elsewhere } from '../link/browser';

test('a choice is kept, and put on the page', async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: true, addEventListener: () => {} }));
  dress();
  expect(document.documentElement.dataset['theme']).toBe('dark');
  choose('theme', 'light');
  choose('language', 'zh');
  await nextTick();
  expect([document.documentElement.dataset['theme'], document.documentElement.lang]).toEqual(['light', 'zh-CN']);
  expect(JSON.parse(localStorage.getItem('hongyan.settings')!)).toMatchObject({ theme: 'light', language: 'zh' });
});

test('another tab chooses for all; what is no choice is not taken', () => {
  elsewhere('hongyan.settings', '{"sendKey":"ctrl-enter","theme":"pink","sound":1}');
  expect(settings).toMatchObject({ sendKey: 'ctrl-enter', theme: 'system', sound: true });
  elsewhere('hongyan.settings', '{');
  expect(settings.sendKey).toBe('enter');
});
