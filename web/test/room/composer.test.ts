import { describe, expect, it } from 'vitest';

import { deedOf, type Pressed, type Seen } from '@/ui/composer/keys';
import { insert, takeName, toggleCode, toggleMark } from '@/ui/composer/writing';

const seen: Seen = { sendKey: 'enter', empty: false, suggesting: false, doing: false };
const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key, keyCode: 0, isComposing: false, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more,
});

describe('keys', () => {
  it('send by Enter, or by Ctrl+Enter', () => {
    expect(deedOf(press('Enter'), seen)).toBe('send');
    expect(deedOf(press('Enter', { shiftKey: true }), seen)).toBeNull();
    expect(deedOf(press('Enter', { ctrlKey: true }), seen)).toBe('newline');
    const other: Seen = { ...seen, sendKey: 'ctrl-enter' };
    expect(deedOf(press('Enter'), other)).toBeNull();
    expect(deedOf(press('Enter', { ctrlKey: true }), other)).toBe('send');
    expect(deedOf(press('Enter', { metaKey: true }), other)).toBe('send');
  });
  it('belong to the input method while it composes', () => {
    expect(deedOf(press('Enter', { isComposing: true }), seen)).toBeNull();
    expect(deedOf(press('Enter', { keyCode: 229 }), seen)).toBeNull();
    expect(deedOf(press('ArrowDown', { isComposing: true }), { ...seen, suggesting: true })).toBeNull();
  });
  it('go to the suggestions while there are some', () => {
    const suggesting = { ...seen, suggesting: true };
    expect(deedOf(press('Enter'), suggesting)).toBe('suggestTake');
    expect(deedOf(press('Tab'), suggesting)).toBe('suggestTake');
    expect(deedOf(press('ArrowUp'), suggesting)).toBe('suggestUp');
    expect(deedOf(press('ArrowDown'), suggesting)).toBe('suggestDown');
    expect(deedOf(press('Escape'), suggesting)).toBe('suggestClose');
    expect(deedOf(press('Enter', { shiftKey: true }), suggesting)).toBeNull();
  });
  it('edit the last one, stop, make bold', () => {
    expect(deedOf(press('ArrowUp'), { ...seen, empty: true })).toBe('editLast');
    expect(deedOf(press('ArrowUp'), seen)).toBeNull();
    expect(deedOf(press('Escape'), { ...seen, doing: true })).toBe('stopDoing');
    expect(deedOf(press('Escape'), seen)).toBeNull();
    expect(deedOf(press('b', { ctrlKey: true }), seen)).toBe('bold');
    expect(deedOf(press('I', { metaKey: true }), seen)).toBe('italic');
    expect(deedOf(press('k', { ctrlKey: true }), seen)).toBeNull();
  });
});

describe('writing', () => {
  it('marks and unmarks', () => {
    const bold = toggleMark({ text: 'a好b', from: 1, to: 2 }, '**');
    expect(bold).toEqual({ text: 'a**好**b', from: 3, to: 4 });
    expect(toggleMark(bold, '**')).toEqual({ text: 'a好b', from: 1, to: 2 });
    expect(toggleMark({ text: 'a**好**b', from: 1, to: 6 }, '**')).toEqual({ text: 'a好b', from: 1, to: 2 });
    expect(toggleMark({ text: '', from: 0, to: 0 }, '**')).toEqual({ text: '****', from: 2, to: 2 });
    expect(toggleMark({ text: '**好**', from: 2, to: 3 }, '*')).toEqual({ text: '***好***', from: 3, to: 4 });
  });
  it('puts lines into a block', () => {
    expect(toggleCode({ text: 'x', from: 0, to: 1 }).text).toBe('`x`');
    expect(toggleCode({ text: 'a\nb', from: 0, to: 3 }).text).toBe('```\na\nb\n```');
    expect(toggleCode({ text: 'x a\nb y', from: 2, to: 5 }).text).toBe('x \n```\na\nb\n```\n y');
  });
  it('inserts and takes names', () => {
    expect(insert({ text: 'ab', from: 1, to: 1 }, '👍')).toEqual({ text: 'a👍b', from: 3, to: 3 });
    expect(takeName({ text: '请@li看', from: 4, to: 4 }, 1, '李华')).toEqual({ text: '请@李华 看', from: 5, to: 5 });
  });
});
