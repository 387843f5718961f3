/** An input method owns this key. Safari ends what is composed before the key that ended it, which has 229. */
export const composing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;
