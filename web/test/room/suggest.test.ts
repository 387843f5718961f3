import { expect, it } from 'vitest';

import { suggestions } from '@/ui/composer/suggest';

const people = [
  { id: 'lihua', name: '李华' },
  { id: 'wangfang', name: '王芳' },
  { id: 'me', name: '我' },
];
const groups = [{ id: '@all', label: '所有人', hint: 'all' }];
const spell = (char: string): string[] => ({ 李: ['li'], 华: ['hua'], 王: ['wang'], 芳: ['fang'] })[char]?.slice() ?? [];
const ids = (query: string, lately: string[] = []): string[] => suggestions(query, people, groups, lately, 'me', spell).map((one) => one.id);

it('knows names, ids, pinyin and initials', () => {
  expect(ids('王')).toEqual(['wangfang']);
  expect(ids('wf')).toEqual(['wangfang']);
  expect(ids('lihua')).toEqual(['lihua']);
  expect(ids('all')).toEqual(['@all']);
  expect(ids('zzz')).toEqual([]);
});

it('has those who spoke last first, and not oneself', () => {
  expect(ids('')).toEqual(['@all', 'lihua', 'wangfang']);
  expect(ids('', ['wangfang', 'me'])).toEqual(['@all', 'wangfang', 'lihua']);
});
