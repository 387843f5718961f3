// In a frame of another site nothing is kept: what the client would write to localStorage is gone with the page. A browser that
// forbids storage in frames would not even let it be looked at. To be imported before everything else.

class Memory implements Storage {
  [name: string]: unknown;
  get length(): number {
    return Object.keys(this).length;
  }
  key(at: number): string | null {
    return Object.keys(this)[at] ?? null;
  }
  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? String(this[name]) : null;
  }
  setItem(name: string, value: string): void {
    this[name] = String(value);
  }
  removeItem(name: string): void {
    delete this[name];
  }
  clear(): void {
    for (const name of Object.keys(this)) delete this[name];
  }
}

Object.defineProperty(window, 'localStorage', { value: new Memory(), configurable: true });

// How the site wants it to look, by `?theme=dark&language=en` or beside the ticket.
const wanted = new URLSearchParams(`${location.search.slice(1)}&${location.hash.slice(1)}`);
localStorage.setItem('hongyan.settings', JSON.stringify({ theme: wanted.get('theme'), language: wanted.get('language'), sound: false }));

export {};
