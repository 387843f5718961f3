// What a key does in the composer. Pure: the component tells what it sees and does what it is told.

export type SendKey = 'enter' | 'ctrl-enter';

export interface Pressed {
  readonly key: string;
  readonly keyCode: number;
  readonly isComposing: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export interface Seen {
  readonly sendKey: SendKey;
  readonly empty: boolean;
  /** A list of suggestions is open above. */
  readonly suggesting: boolean;
  /** Something is being answered or edited. */
  readonly doing: boolean;
}

export type Deed =
  | 'send'
  | 'newline'
  | 'bold'
  | 'italic'
  | 'code'
  | 'editLast'
  | 'stopDoing'
  | 'suggestUp'
  | 'suggestDown'
  | 'suggestTake'
  | 'suggestClose';

/** Null: the key is the browser's. */
export function deedOf(pressed: Pressed, seen: Seen): Deed | null {
  // An input method owns its keys; Safari ends the composition before the key that ended it, which has 229.
  if (pressed.isComposing || pressed.keyCode === 229) return null;
  const { key, shiftKey } = pressed;
  const command = pressed.ctrlKey || pressed.metaKey;
  if (seen.suggesting && !command && !pressed.altKey) {
    if (key === 'ArrowUp') return 'suggestUp';
    if (key === 'ArrowDown') return 'suggestDown';
    if ((key === 'Enter' && !shiftKey) || (key === 'Tab' && !shiftKey)) return 'suggestTake';
    if (key === 'Escape') return 'suggestClose';
  }
  if (key === 'Enter') {
    if (pressed.altKey) return null;
    if (seen.sendKey === 'enter') return command ? 'newline' : shiftKey ? null : 'send';
    return command ? 'send' : null;
  }
  if (command && !pressed.altKey && !shiftKey) {
    const letter = key.toLowerCase();
    if (letter === 'b') return 'bold';
    if (letter === 'i') return 'italic';
    if (letter === 'e') return 'code';
    return null;
  }
  if (command || pressed.altKey || shiftKey) return null;
  if (key === 'ArrowUp' && seen.empty) return 'editLast';
  if (key === 'Escape' && seen.doing) return 'stopDoing';
  return null;
}
