// As much of a document as the page's pure modules need: elements with attributes, children and text.

class Text {
  constructor(text) {
    this.text = String(text);
  }

  get textContent() {
    return this.text;
  }
}

class Element {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, childNodes: [] });
  }

  append(...nodes) {
    this.childNodes.push(...nodes.map((node) => (node instanceof Element ? node : new Text(node))));
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  removeAttribute(name) {
    delete this.attributes[name];
  }

  get textContent() {
    return this.childNodes.map((node) => node.textContent).join('');
  }

  *all() {
    yield this;
    for (const node of this.childNodes) if (node instanceof Element) yield* node.all();
  }
}

globalThis.document = { createElement: (tag) => new Element(tag), documentElement: {} };

/** What the nodes say: `<p>text<strong>…</strong></p>`, attributes left out. */
export function outline(nodes) {
  return nodes.map((node) => (node instanceof Element ? `<${node.tag}>${outline(node.childNodes)}</${node.tag}>` : node.text)).join('');
}

export const elements = (nodes) => nodes.flatMap((node) => [...node.all()]);

/** A store as a browser's tab has one. */
export class Storage {
  #kept = new Map();

  getItem(key) {
    return this.#kept.get(key) ?? null;
  }

  setItem(key, value) {
    this.#kept.set(key, String(value));
  }

  removeItem(key) {
    this.#kept.delete(key);
  }
}
