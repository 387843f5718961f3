import { describe, expect, it } from 'vitest';

import { said } from '@/core/amend';
import { fileOf, halves } from '@/core/file';
import type { Content } from '@/core/model';
import { contentLine, fileLine } from '@/core/preview';

const HOME = 'https://chat.test';
const shared = (text: string): Content => ({ type: 'text', text, oob: true });
const nameOf = (text: string): string | undefined => fileOf(shared(text), HOME)?.name;
const words = (key: string, put: Readonly<Record<string, string | number>> = {}): string => `${key}:${Object.values(put).join()}`;

describe('a file', () => {
  it.each([
    ['https://a.test/u/%E5%B9%B4%E6%8A%A5%201.pdf', '年报 1.pdf'],
    ['https://a.test/年报.pdf?download=1#x', '年报.pdf'],
    ['https://a.test/u/%E5%B9.pdf', '%E5%B9.pdf'], // no UTF-8
    ['https://a.test/u/100%.pdf', '100%.pdf'],
    ['https://a.test/u/photo%E2%80%AEgpj.exe', 'photo%E2%80%AEgpj.exe'], // would be read from right to left
    ['https://a.test/u/a%2F..%2Fb.txt', 'a%2F..%2Fb.txt'],
    ['https://a.test/u/a%00%0A.txt', 'a%00%0A.txt'],
    ['https://a.test/u/%20', '%20'],
    ['https://a.test/u/%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.png', '👩‍🚀.png'],
    ['https://a.test/u/', 'u'],
    ['https://a.test/?id=7', 'a.test'],
  ])('%s is called %s', (text, name) => {
    expect(nameOf(text)).toBe(name);
  });

  it.each([
    'javascript:alert(1)//x/y', 'data:text/html,x', 'ftp://a.test/x', 'https://a.test', 'https://a.test/x y', '看 https://a.test/x', 'https://[/x', '',
  ])('is not at %o', (text) => {
    expect(fileOf(shared(text), HOME)).toBeNull();
  });

  it('is one only where the message says so', () => {
    expect(fileOf({ type: 'text', text: 'https://a.test/x.png' }, HOME)).toBeNull();
    expect(fileOf({ type: 'recalled' }, HOME)).toBeNull();
  });

  it.each([
    [`${HOME}/files/abc/a.png`, true], [`${HOME}/files/abc/%E5%9B%BE.JPEG`, true], [`${HOME}/files/abc/a.avif`, true],
    [`${HOME}/files/abc/a.svg`, false], [`${HOME}/files/abc/a.png.exe`, false], [`${HOME}/files/a.png`, false], [`${HOME}/other/abc/a.png`, false],
    [`${HOME}/files/../v1/a.png`, false], [`${HOME}:8443/files/abc/a.png`, false], ['http://chat.test/files/abc/a.png', false],
    ['https://chat.test.evil.test/files/abc/a.png', false], ['https://chat.test@evil.test/files/abc/a.png', false],
  ])('at %s is shown as a picture: %o', (text, picture) => {
    expect(fileOf(shared(text), HOME)?.picture).toBe(picture);
  });

  it('of another place says of which', () => {
    expect(fileOf(shared('https://chat.test@evil.test/files/abc/a.png'), HOME)).toMatchObject({ host: 'evil.test', id: null });
    expect(fileOf(shared(`${HOME}/files/abc/a.txt`), HOME)).toMatchObject({ host: null, id: 'abc' });
  });

  it('is named where there is one line, and no longer when its message was changed', () => {
    const content = shared('https://a.test/a.pdf');
    expect(contentLine(content, words)).toBe('preview.file:a.pdf');
    expect(fileLine({ type: 'text', text: '好' }, words)).toBeNull();
    const changed = said(content, { seq: 4, at: 5, text: 'https://a.test/b.pdf' });
    expect(changed).toEqual({ type: 'text', text: 'https://a.test/b.pdf' });
    expect(fileOf(said(content, { seq: 4, at: 5, recalled: { user: 'chen', time: 1 } }))).toBeNull();
    expect(said(content, { seq: 4, at: 5, pinned: { user: 'chen', time: 1 } })).toBe(content);
  });

  it('keeps its end in sight', () => {
    expect(['a.b.docx', '.profile', 'none', 'v1.2 of the plan'].map(halves)).toEqual([
      ['a.b', '.docx'], ['.profile', ''], ['none', ''], ['v1.2 of the plan', ''],
    ]);
  });
});
