// In place of the library of this name: its table of all entities is a seventh of the client, and browsers have the same.

const area = document.createElement('textarea');

/** `&copy;` is ©. Only for what markdown-it has found to be an entity; a text area takes no elements in any case. */
export function decodeHTMLStrict(entity: string): string {
  area.innerHTML = entity;
  return area.value;
}
