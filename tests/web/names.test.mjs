import assert from 'node:assert/strict';
import { test } from 'node:test';

import './document.mjs';
import { initials, oneLine, tint } from '../static/dom.js';

test('a name is shown by its last two characters or its initials', () => {
  const shown = { 林清和: '清和', 张伟: '张伟', 欧阳文渊: '文渊', 'Emma Larsson': 'EL', lin: 'L', 'ana.maria-souza': 'AS', '鸿雁 · 发布准备': '准备', '': '·' };
  for (const [name, letters] of Object.entries(shown)) assert.equal(initials(name), letters, name);
});

test('what stands in brackets is no part of a name', () => {
  assert.equal(initials('林清和（外包）'), '清和');
  assert.equal(initials('Emma Larsson (guest)'), 'EL');
  assert.equal(initials('（无名）').length, 2);
});

test('a name cannot turn the direction of its line or break it', () => {
  assert.equal(oneLine('a\u202e\nb\u2067  c'), 'a b c');
});

test('twelve tints are used about equally, and an id keeps its own', () => {
  const counts = Array(12).fill(0);
  for (let number = 0; number < 12_000; number += 1) counts[tint(`user${number}`)] += 1;
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150, String(counts));
  assert.equal(tint('lina'), tint('lina'));
  const team = 'admin zhangwei lina wanglei chenjing liuyang lihua zhaomin sunli zhouqiang wufang zhengkai huangting'.split(' ');
  assert.ok(new Set(team.map(tint)).size >= 8);
});
