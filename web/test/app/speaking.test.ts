// @vitest-environment happy-dom
import { expect, test } from 'vitest';

import { choose } from '@/app/settings';
import { t, words } from '@/words';

test('one language is loaded; another takes its place as soon as it is there', async () => {
  choose('language', 'zh');
  await words();
  expect(t('base.close')).toBe('关闭');
  choose('language', 'en');
  expect(t('base.close')).toBe('关闭'); // and asks for it
  await words();
  expect(t('base.close')).toBe('Close');
  expect(t('room.members', { n: 1 })).toBe('1 member');
  choose('language', 'zh');
  expect(t('base.close')).toBe('关闭');
});
